namespace FlannelFast.Dataplane.Interop;

/// <summary>As glibc has it. The kernel knows more fields behind these and fills only the length it is given.</summary>
internal struct tcp_info
{
    internal byte tcpi_state;
    internal byte tcpi_ca_state;
    internal byte tcpi_retransmits;
    internal byte tcpi_probes;
    internal byte tcpi_backoff;
    internal byte tcpi_options;
    internal byte _tcpi_snd_wscale_rcv_wscale;
    internal uint tcpi_rto;
    internal uint tcpi_ato;
    internal uint tcpi_snd_mss;
    internal uint tcpi_rcv_mss;
    internal uint tcpi_unacked;
    internal uint tcpi_sacked;
    internal uint tcpi_lost;
    internal uint tcpi_retrans;
    internal uint tcpi_fackets;
    internal uint tcpi_last_data_sent;
    internal uint tcpi_last_ack_sent;
    internal uint tcpi_last_data_recv;
    internal uint tcpi_last_ack_recv;
    internal uint tcpi_pmtu;
    internal uint tcpi_rcv_ssthresh;
    internal uint tcpi_rtt;
    internal uint tcpi_rttvar;
    internal uint tcpi_snd_ssthresh;
    internal uint tcpi_snd_cwnd;
    internal uint tcpi_advmss;
    internal uint tcpi_reordering;
    internal uint tcpi_rcv_rtt;
    internal uint tcpi_rcv_space;
    internal uint tcpi_total_retrans;
}

internal static unsafe partial class Libc
{
    internal const int IPPROTO_TCP = 6;
    internal const int TCP_NODELAY = 1;
    internal const int TCP_INFO = 11;
    internal const int TCP_CONGESTION = 13;
}
