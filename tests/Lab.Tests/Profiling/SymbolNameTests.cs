using FlannelFast.Lab.Profiling;

namespace FlannelFast.Lab.Tests.Profiling;

/// <summary>Symbols as <c>nm</c> and perf show them of the published program.</summary>
public sealed class SymbolNameTests
{
    private const string Worker = "FlannelFast_Dataplane_FlannelFast_Dataplane_Engine_PacketWorker_2<FlannelFast_Dataplane_FlannelFast_Dataplane_Engine_HostPort__FlannelFast_Dataplane_FlannelFast_Dataplane_Encapsulation_IpInUdp>";

    [Theory]
    [InlineData(Worker + "__Egress", "PacketWorker.Egress")]
    [InlineData(Worker + "___ctor", "PacketWorker.ctor")]
    [InlineData("FlannelFast_Dataplane_FlannelFast_Dataplane_Interop_Libc___cctor", "Libc.cctor")]
    [InlineData("FlannelFast_Dataplane_FlannelFast_Dataplane_Interop_Libc__if_nametoindex", "Libc.if_nametoindex")]
    [InlineData("flannelfast_FlannelFast_Daemon_Hosting_HostLog___cctor", "HostLog.cctor")]
    [InlineData("S_P_CoreLib_System_Threading_SpinWait__SpinOnce_0", "SpinWait.SpinOnce")]
    [InlineData("S_P_CoreLib_System_Array__Reverse_2<System___Canon>", "Array.Reverse")]
    [InlineData("System_Text_Json_System_Text_Json_Utf8JsonWriter__WriteNumberEscapeProperty_7", "Utf8JsonWriter.WriteNumberEscapeProperty")]
    [InlineData("System_Net_Http_System_Net_Http_HttpConnection__DrainResponseAsync_d__98__MoveNext", "HttpConnection.DrainResponseAsync")]
    [InlineData("unbox_FlannelFast_Control_FlannelFast_Control_Subnets_Etcd_V3_EtcdWatch__ReadAsync_d__11__MoveNext", "EtcdWatch.ReadAsync")]
    [InlineData("<Boxed>FlannelFast_Control_FlannelFast_Control_Subnets_Etcd_Grpc_GrpcChannel__CallAsync_d__12_2<System___Canon__System___Canon>__<unbox>FlannelFast_Control_FlannelFast_Control_Subnets_Etcd_Grpc_GrpcChannel__CallAsync_d__12_2__MoveNext", "GrpcChannel.CallAsync")]
    [InlineData("FlannelFast_Control_FlannelFast_Control_Backends_HostGw_HostGwBackend___c__DisplayClass32_0___Apply_b__0", "HostGwBackend.Apply.lambda")]
    [InlineData("FlannelFast_Control_FlannelFast_Control_Backends_HostGw_HostGwBackend___c__DisplayClass9_0____ctor_b__1", "HostGwBackend.ctor.lambda")]
    [InlineData("FlannelFast_Lab_FlannelFast_Lab_Rendering_LineChart___c___Draw_b__0_7", "LineChart.Draw.lambda")]
    [InlineData("System_Security_Cryptography_Interop_Crypto___CryptoNative_EcKeyGetCurveName_g____PInvoke_115_0", "Crypto.CryptoNative_EcKeyGetCurveName.PInvoke")]
    [InlineData("System_Collections_System_Collections_Generic_Stack_1<S_P_CoreLib_System_ValueTuple_4<Int32__Int32__Bool__Int32>>__System_Collections_Generic_IEnumerable_T__GetEnumerator", "Stack.GetEnumerator")]
    public void A_method_is_its_type_and_its_name(string symbol, string readable) => Assert.Equal(readable, SymbolName.Readable(symbol));

    [Theory]
    [InlineData("memcpy", "memcpy")]
    [InlineData("__x64_sys_sendmmsg", "__x64_sys_sendmmsg")]
    [InlineData("RhpCheckedXchg", "RhpCheckedXchg")]
    [InlineData("Thread::Wait(int, bool)", "Thread::Wait(int, bool)")]
    [InlineData("__skb_flow_dissect.constprop.0", "__skb_flow_dissect")]
    [InlineData("tcp_ack.isra.0.cold", "tcp_ack")]
    [InlineData("System_", "System_")]
    [InlineData("FlannelFast_Cut_Off_1<FlannelFast_Dataplane_", "FlannelFast_Cut_Off_1<FlannelFast_Dataplane_")]
    [InlineData("a;b\u0001c\uffff", "a:b?c?")]
    public void What_is_no_method_stays_and_is_fit_for_a_file(string symbol, string readable) => Assert.Equal(readable, SymbolName.Readable(symbol));

    [Fact]
    public void Half_a_surrogate_pair_is_replaced() => Assert.Equal("a?b", SymbolName.Readable("a\ud800b"));

    [Fact]
    public void A_name_without_end_is_cut()
    {
        string name = SymbolName.Readable("System_Long__" + new string('x', 100_000));
        Assert.InRange(name.Length, 100, 200);
        Assert.EndsWith("…", name, StringComparison.Ordinal);
    }

    [Fact]
    public void Own_is_what_FlannelFast_was_compiled_from()
    {
        Assert.True(SymbolName.IsOwn(Worker + "__Egress"));
        Assert.False(SymbolName.IsOwn("S_P_CoreLib_System_Threading_SpinWait__SpinOnce_0"));
    }
}
