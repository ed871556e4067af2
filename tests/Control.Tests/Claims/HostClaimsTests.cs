using FlannelFast.Control.Claims;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Claims;

public sealed class HostClaimsTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void What_one_has_another_does_not_get_until_it_is_given_back()
    {
        using HostClaims second = New();
        using (HostClaims first = New())
        {
            first.Take("the device flannel.1", "stop it");
            second.Take("the device flannel.2", "stop it");
            ClaimException refused = Assert.Throws<ClaimException>(() => second.Take("the device flannel.1", "stop it"));
            Assert.Equal("another flanneld of this host has the device flannel.1: stop it", refused.Message);
        }
        second.Take("the device flannel.1", "stop it");
    }

    [Fact]
    public void Two_network_namespaces_have_nothing_in_common()
    {
        using HostClaims here = New("net:[1]"), there = New("net:[2]");
        here.Take("the device flannel.1", "stop it");
        there.Take("the device flannel.1", "stop it");
    }

    /// <summary>As where /run is a link.</summary>
    [Fact]
    public void A_link_on_the_way_is_no_obstacle()
    {
        Directory.CreateDirectory(_files["real"]);
        File.CreateSymbolicLink(_files["link"], _files["real"]);
        using HostClaims first = new(Path.Combine(_files["link"], "claims"), "here"), second = new(Path.Combine(_files["real"], "claims"), "here");
        first.Take("the device flannel.1", "stop it");
        Assert.Throws<ClaimException>(() => second.Take("the device flannel.1", "stop it"));
    }

    [Fact]
    public void A_directory_that_cannot_be_used_is_named_in_one_line()
    {
        File.WriteAllText(_files["claims"], "a file");
        using HostClaims claims = New();
        IOException refused = Assert.Throws<IOException>(() => claims.Take("the device flannel.1", "stop it"));
        Assert.StartsWith($"cannot write to {_files["claims"]}, by which the flannelds of a host keep apart: ", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    private HostClaims New(string networkNamespace = "here") => new(_files["claims"], networkNamespace);
}
