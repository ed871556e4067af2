using System.Diagnostics;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Daemon.Tests.Commands;

/// <summary>The script under two shells and the command write the same bytes, and those that stock's script writes (v0.28.9, run once under dash).</summary>
public sealed class DockerOptsTests : IDisposable
{
    private const string Env = "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.74.1/24\nFLANNEL_MTU=1472\nFLANNEL_IPMASQ=true\n";
    private const string Each = "DOCKER_OPT_BIP=\"--bip=10.1.74.1/24\"\nDOCKER_OPT_IPMASQ=\"--ip-masq=false\"\nDOCKER_OPT_MTU=\"--mtu=1472\"\n";
    private const string All = "DOCKER_OPTS=\" --bip=10.1.74.1/24 --ip-masq=false --mtu=1472\"\n";

    private readonly TemporaryDirectory _files = new();

    public static TheoryData<string, string?, string, string, string> Cases => new()
    {
        { "both kinds", Env, "", "", Each + All },
        { "-i", Env, "-i", "", Each },
        { "-c", Env, "-c", "", All },
        { "-i and -c", Env, "-i -c", "", Each + All },
        { "-k", Env, "-k FOO", "", Each + All.Replace("DOCKER_OPTS", "FOO") },
        { "-c and -k", Env, "-c -k DOCKER_NETWORK_OPTIONS", "", All.Replace("DOCKER_OPTS", "DOCKER_NETWORK_OPTIONS") },
        { "-m", Env, "-m", "", "DOCKER_OPT_BIP=\"--bip=10.1.74.1/24\"\nDOCKER_OPT_MTU=\"--mtu=1472\"\nDOCKER_OPTS=\" --bip=10.1.74.1/24 --mtu=1472\"\n" },
        { "no masquerading", "FLANNEL_IPMASQ=false\n", "", "", "DOCKER_OPT_IPMASQ=\"--ip-masq=true\"\nDOCKER_OPTS=\" --ip-masq=true\"\n" },
        { "MTU only", "FLANNEL_MTU=1400\n", "", "", "DOCKER_OPT_MTU=\"--mtu=1400\"\nDOCKER_OPTS=\" --mtu=1400\"\n" },
        { "empty values", "FLANNEL_SUBNET=\nFLANNEL_MTU=\nFLANNEL_IPMASQ=\n", "", "", "DOCKER_OPTS=\"\"\n" },
        { "no file", null, "", "", "DOCKER_OPTS=\"\"\n" },
        { "no file, -i", null, "-i", "", "" },
        { "bad IPMASQ that is not asked for", "FLANNEL_IPMASQ=maybe\n", "-m", "", "DOCKER_OPTS=\"\"\n" },
        { "options in the environment", Env, "", "DOCKER_OPT_FOO=--foo|DOCKER_OPT_ZED=--zed", Each.Replace("DOCKER_OPT_IPM", "DOCKER_OPT_FOO=\"--foo\"\nDOCKER_OPT_IPM") + "DOCKER_OPT_ZED=\"--zed\"\nDOCKER_OPTS=\" --bip=10.1.74.1/24 --foo --ip-masq=false --mtu=1472 --zed\"\n" },
        { "options in the file", "DOCKER_OPT_X=--x\nFLANNEL_MTU=1400\n", "", "", "DOCKER_OPT_MTU=\"--mtu=1400\"\nDOCKER_OPT_X=\"--x\"\nDOCKER_OPTS=\" --mtu=1400 --x\"\n" },
        { "an empty option", null, "", "DOCKER_OPT_E=", "DOCKER_OPT_E=\"\"\nDOCKER_OPTS=\" \"\n" },
        { "ours win over the environment", Env, "", "DOCKER_OPT_BIP=--bip=x|FLANNEL_MTU=9", Each + All },
        { "the environment without a file", null, "", "DOCKER_OPT_BIP=--bip=x|FLANNEL_MTU=9", "DOCKER_OPT_BIP=\"--bip=x\"\nDOCKER_OPT_MTU=\"--mtu=9\"\nDOCKER_OPTS=\" --bip=x --mtu=9\"\n" },
        { "a combined variable with a value", Env, "", "DOCKER_OPTS=--old", Each + All.Replace("=\"", "=\"--old ") },
        { "a combined variable of that name with a value", Env, "-c -k FOO", "FOO=--old|DOCKER_OPTS=--other", All.Replace("DOCKER_OPTS=\"", "FOO=\"--old ") },
        { "a combined variable and nothing else", null, "", "DOCKER_OPTS=--old", "DOCKER_OPTS=\"--old \"\n" },
        { "quotes, export and comments", "# c\nexport FLANNEL_SUBNET=\"10.1.74.1/24\" # d\nFLANNEL_MTU='1472'\nexport  FLANNEL_IPMASQ=true\n", "", "", Each + All },
        // Where stock writes what nobody can read, or takes a value for a name.
        { "CRLF", Env.Replace("\n", "\r\n"), "", "", Each + All },
        { "blanks in a value", null, "", "DOCKER_OPT_Z=--zed=1 2", "DOCKER_OPT_Z=\"--zed=1 2\"\nDOCKER_OPTS=\" --zed=1 2\"\n" },
        { "characters with a meaning", null, "", "DOCKER_OPT_Z=a\"b$c`d\\e'f", "DOCKER_OPT_Z=\"a\\\"b\\$c\\`d\\\\e'f\"\nDOCKER_OPTS=\" a\\\"b\\$c\\`d\\\\e'f\"\n" },
        { "several lines", null, "-i", "DOCKER_OPT_Z=a\nDOCKER_OPT_Y=b\n", "DOCKER_OPT_Z=\"a\nDOCKER_OPT_Y=b\n\"\n" },
        { "names that only contain it", null, "", "XDOCKER_OPT_A=1|FOO=DOCKER_OPT_BAR=1", "DOCKER_OPTS=\"\"\n" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void All_three_write_the_same_bytes(string what, string? file, string arguments, string environment, string expected)
    {
        Assert.NotEmpty(what);
        if (file is not null) _files.Write("subnet.env", file);
        foreach (string[] program in Programs())
        {
            (int exitCode, string error) = Run(program, ["-f", _files["subnet.env"], "-d", _files["out"], .. Words(arguments)], environment);
            Assert.Equal((0, ""), (exitCode, error));
            Assert.Equal(expected, File.ReadAllText(_files["out"]));
            File.Delete(_files["out"]);
        }
    }

    [Theory]
    [InlineData("FLANNEL_SUBNET=10.1.74.1/24\nFLANNEL_IPMASQ=maybe\n", "", "Invalid value of FLANNEL_IPMASQ: maybe")]
    [InlineData(Env, "-k A;B", "-k: expected the name of a variable, not \"A;B\"")]
    public void What_is_wrong_is_named_and_nothing_is_written(string file, string arguments, string message)
    {
        _files.Write("subnet.env", file);
        foreach (string[] program in Programs())
        {
            (int exitCode, string error) = Run(program, ["-f", _files["subnet.env"], "-d", _files["out"], .. Words(arguments)]);
            Assert.Equal((1, message), (exitCode, error.Replace("flannelfast: ", "").TrimEnd()));
            Assert.False(File.Exists(_files["out"]));
        }
    }

    [Fact]
    public void A_target_that_cannot_be_written_is_an_error()
    {
        foreach (string[] program in Programs())
        {
            string target = Path.Combine(_files["nowhere"], "out");
            (int exitCode, string error) = Run(program, ["-f", _files.Write("subnet.env", Env), "-d", target]);
            Assert.Equal(1, exitCode);
            Assert.Contains($"cannot write {target}", error);
        }
    }

    [Fact]
    public void A_file_in_the_working_directory_needs_no_slash()
    {
        _files.Write("subnet.env", Env);
        foreach (string[] program in Programs())
        {
            Assert.Equal((0, ""), Run(program, ["-c", "-f", "subnet.env", "-d", "out"]));
            Assert.Equal(All, File.ReadAllText(_files["out"]));
            File.Delete(_files["out"]);
        }
    }

    [Theory]
    [InlineData("10.1.74.0/24 via 192.0.2.9", "FLANNEL_SUBNET=10.1.74.1/24\n", true)]
    [InlineData("10.1.74.128/25 via 192.0.2.9", "FLANNEL_SUBNET=10.1.74.129/25\n", true)]
    [InlineData("10.1.64.0/20 via 192.0.2.9", "FLANNEL_SUBNET=10.1.64.1/20\n", true)]
    [InlineData("10.1.74.0/24 dev v0", "FLANNEL_SUBNET=10.1.74.1/24\n", false)]
    [InlineData("10.1.0.0/16 via 192.0.2.9", "FLANNEL_SUBNET=10.1.74.1/24\n", false)]
    [InlineData("110.1.74.0/24 via 192.0.2.9", "FLANNEL_SUBNET=10.1.74.1/24\n", false)]
    [InlineData("10.1.74.0/24 via 192.0.2.9", "FLANNEL_MTU=1400\n", false)]
    public void A_route_that_takes_the_subnet_away_is_reported_after_writing(string route, string file, bool isRefused)
    {
        _files.Write("subnet.env", file);
        string setUp = $"ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up; ip addr add 192.0.2.1/24 dev v0; ip route add {route}; exec \"$@\"";
        foreach (string[] program in Programs())
        {
            (int exitCode, string error) = Run(["unshare", "-n", "sh", "-ec", setUp, "sh", .. program], ["-f", _files["subnet.env"], "-d", _files["out"]]);
            Assert.Equal(isRefused ? 1 : 0, exitCode);
            if (isRefused) Assert.Contains($"Your routing table already contains the subnet: {route} dev v0", error);
            else Assert.Equal("", error);
            Assert.Contains("DOCKER_OPTS=", File.ReadAllText(_files["out"]));
            File.Delete(_files["out"]);
        }
    }

    [Theory]
    [InlineData("dash")]
    [InlineData("bash")]
    public void Usage_goes_to_standard_error(string shell)
    {
        foreach (string flag in new[] { "-h", "-?", "-z" })
        {
            (int exitCode, string error) = Run([shell, s_script], [flag]);
            Assert.Equal(1, exitCode);
            Assert.Contains($"Usage: {s_script} [-f FLANNEL-ENV-FILE]", error);
        }
    }

    public void Dispose() => _files.Dispose();

    private static readonly string s_script = SourceTree.PathOf("packaging", "mk-docker-opts.sh");

    private static string[][] Programs() =>
    [
        ["dash", s_script],
        ["bash", s_script],
        ["dotnet", typeof(ExitCode).Assembly.Location, "docker-opts"],
    ];

    private static string[] Words(string arguments) => arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private (int ExitCode, string Error) Run(string[] program, string[] arguments, string environment = "")
    {
        var info = new ProcessStartInfo(program[0], [.. program[1..], .. arguments]) { RedirectStandardError = true, WorkingDirectory = _files["."] };
        string path = info.Environment["PATH"]!, home = Environment.GetEnvironmentVariable("HOME") ?? "/";
        info.Environment.Clear();
        (info.Environment["PATH"], info.Environment["HOME"]) = (path, home);
        foreach (string variable in environment.Split('|', StringSplitOptions.RemoveEmptyEntries))
            info.Environment[variable[..variable.IndexOf('=')]] = variable[(variable.IndexOf('=') + 1)..];
        using Process process = Process.Start(info)!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }
}
