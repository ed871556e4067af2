using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3;
using FlannelFast.Control.Tests.Subnets.Etcd.Grpc;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V3;

/// <summary>Tokens from a server that counts how often it is asked, on a clock that stands still.</summary>
public sealed class EtcdAuthenticatorTests : IDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly ManualTimeProvider _time = new();
    private readonly EtcdAuthenticator _authenticator;
    private readonly FakeHttp2Server _server;
    private readonly GrpcChannel _channel;
    private readonly CancellationToken _cancel = TestContext.Current.CancellationToken;
    private int _asked;
    private (string, string)[]? _refusal;

    public EtcdAuthenticatorTests()
    {
        _authenticator = new(new("flannel", "s3cret"), _time, new Random(1), NullLogger.Instance);
        _server = FakeHttp2Server.ForEach((connection, stream) =>
        {
            int number = Interlocked.Increment(ref _asked);
            return _refusal is { } refusal
                ? connection.SendHeadersAsync(stream, isEnd: true, [(":status", "200"), ("content-type", "application/grpc"), .. refusal])
                : connection.ReplyAsync(stream, 0x12, 2, (byte)'t', (byte)('0' + number));
        });
        _channel = GrpcChannel.Open(_server.Endpoint, new EtcdTls(EtcdOptions.Create(_server.Endpoint.ToString(), "/p"), NullLogger.Instance), TimeProvider.System);
    }

    public void Dispose()
    {
        _channel.Dispose();
        _server.Dispose();
        _authenticator.Dispose();
    }

    [Fact]
    public async Task One_token_serves_all_calls()
    {
        string?[] tokens = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TokenAsync()));
        Assert.All(tokens, token => Assert.Equal("t1", token));
        Assert.Equal(1, _asked);
    }

    [Fact]
    public async Task A_token_that_ran_out_is_renewed_once_for_all()
    {
        string? token = await TokenAsync();
        _time.Advance(TimeSpan.FromMinutes(6));
        for (int i = 0; i < 5; i++) _authenticator.Refused(token);
        Assert.Equal("t2", await TokenAsync());
        // A call that began before the renewal complains late.
        _authenticator.Refused(token);
        Assert.Equal("t2", await TokenAsync());
        Assert.Equal(2, _asked);
    }

    [Fact]
    public async Task Tokens_that_are_refused_at_once_are_asked_for_ever_more_rarely()
    {
        int renewals = 0;
        for (TimeSpan now = default; now < TimeSpan.FromMinutes(1); now += TimeSpan.FromMilliseconds(10), _time.Advance(TimeSpan.FromMilliseconds(10)))
        {
            try
            {
                _authenticator.Refused(await TokenAsync());
                renewals++;
            }
            catch (GrpcException e)
            {
                Assert.True(e.IsUnprocessed);
                Assert.Contains("etcd refuses the tokens it gives", e.Message, StringComparison.Ordinal);
            }
        }
        // 0.1, 0.2 … 3.2 s, then every 5 s at most: between 17 and 34 in a minute.
        Assert.InRange(renewals, 15, 36);
        Assert.Equal(renewals, _asked);
    }

    [Fact]
    public async Task A_refused_password_is_a_pause_and_its_reason_stays_known()
    {
        _refusal = [("grpc-status", "3"), ("grpc-message", "etcdserver: authentication failed, invalid user ID or password")];
        for (int i = 0; i < 5; i++)
        {
            GrpcException refused = await Assert.ThrowsAsync<GrpcException>(TokenAsync);
            Assert.Contains("invalid user ID or password", refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("s3cret", refused.ToString(), StringComparison.Ordinal);
        }
        Assert.Equal(1, _asked);
        _refusal = null;
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("t2", await TokenAsync());
    }

    [Fact]
    public async Task Where_authentication_is_off_calls_go_without_token_until_it_is_on()
    {
        _refusal = [("grpc-status", "9"), ("grpc-message", "etcdserver: authentication is not enabled")];
        Assert.Null(await TokenAsync());
        Assert.Null(await TokenAsync());
        Assert.Equal(1, _asked);
        _refusal = null;
        _time.Advance(TimeSpan.FromMinutes(1));
        _authenticator.Refused(null);
        Assert.Equal("t2", await TokenAsync());
    }

    [Theory]
    [InlineData(nameof(GrpcStatusCode.Unauthenticated), "etcdserver: invalid auth token", true)]
    [InlineData(nameof(GrpcStatusCode.InvalidArgument), "etcdserver: user name is empty", true)]
    [InlineData(nameof(GrpcStatusCode.InvalidArgument), "etcdserver: revision of auth store is old", true)]
    [InlineData(nameof(GrpcStatusCode.InvalidArgument), "etcdserver: key is not provided", false)]
    [InlineData(nameof(GrpcStatusCode.PermissionDenied), "etcdserver: permission denied", false)]
    public void Only_what_another_token_can_cure_is_a_refusal_of_it(string code, string detail, bool expected) =>
        Assert.Equal(expected, EtcdAuthenticator.IsRefusal(new(Enum.Parse<GrpcStatusCode>(code), "e", detail)));

    private Task<string?> TokenAsync() => _authenticator.GetTokenAsync(_channel, s_timeout, _cancel);
}
