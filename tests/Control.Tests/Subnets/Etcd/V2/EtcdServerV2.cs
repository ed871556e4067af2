using System.Net.Http.Headers;
using System.Text;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V2;

/// <summary>What etcdctl cannot be told without a terminal (it asks for passwords).</summary>
internal static class EtcdServerV2
{
    /// <summary>PUT of JSON to a path below /v2/.</summary>
    internal static async Task PutV2Async(this EtcdServer server, string path, string json, string? user = null)
    {
        using HttpClient client = new();
        using StringContent content = new(json, new MediaTypeHeaderValue("application/json"));
        if (user is not null) client.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(user)));
        using HttpResponseMessage response = await client.PutAsync(new Uri($"{server.Endpoint}/v2/{path}"), content, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}: {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
    }
}
