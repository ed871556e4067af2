#!/usr/bin/env python3
"""Usage: transfer.py serve PORT | transfer.py send tcp|udp|udp-super ADDRESS PORT MB

"serve" listens with TCP and UDP, reads what comes, and says what it read: of a TCP stream its length and SHA-256, of a datagram all of it.
"send" sends so many MB, compares, prints the rate in Mb/s (of UDP: each way), and ends with 1 and a line that says why if anything is missing or changed.
udp-super has the kernel cut the datagrams (UDP_SEGMENT), as QUIC does.
"""
import hashlib
import os
import selectors
import socket
import struct
import sys
import threading
import time

CHUNK = 1 << 20
WINDOW = 16  # datagrams under way: less than the smallest queue on it has room for
PAYLOAD = 1300
UDP_SEGMENT = 103  # linux/udp.h
IP_PKTINFO = 8  # linux/in.h
PATIENCE = 5.0  # seconds without a byte


def serve_stream(connection):
    digest, length = hashlib.sha256(), 0
    with connection:
        while part := connection.recv(CHUNK):
            digest.update(part)
            length += len(part)
        connection.sendall(struct.pack("!Q", length) + digest.digest())


def echo(datagrams):
    """From the address that it was sent to, which is not always the one that the way back begins with."""
    datagram, [(level, kind, info)], _, sender = datagrams.recvmsg(65536, socket.CMSG_SPACE(12))
    datagrams.sendmsg([datagram], [(level, kind, struct.pack("@I4s4x", 0, info[4:8]))], 0, sender)


def serve(port):
    streams = socket.create_server(("", port))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    datagrams.bind(("", port))
    ready = selectors.DefaultSelector()
    for listening in (streams, datagrams):
        ready.register(listening, selectors.EVENT_READ)
    while True:
        for key, _ in ready.select():
            if key.fileobj is streams:
                threading.Thread(target=serve_stream, args=(streams.accept()[0],), daemon=True).start()
            else:
                echo(datagrams)


def send_stream(address, size):
    digest, block, left = hashlib.sha256(), os.urandom(CHUNK - 1), size
    started = time.monotonic()
    with socket.create_connection(address, PATIENCE) as connection:
        while left:
            part = block[:left]
            connection.sendall(part)
            digest.update(part)
            left -= len(part)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(64):
            answer += part
    if answer != struct.pack("!Q", size) + digest.digest():
        raise ValueError("what arrived is not what was sent")
    return size, time.monotonic() - started


def send_datagrams(address, size, is_super):
    block, sent, started = os.urandom(CHUNK), 0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.connect(address)
        connection.settimeout(PATIENCE)
        if is_super:
            connection.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, PAYLOAD)
        while sent < size:
            # Numbered, so that none can be taken for another; the last one shorter, and of an odd length.
            burst = [struct.pack("!Q", sent + n) + block[n * PAYLOAD:][:PAYLOAD - 8] for n in range(WINDOW)]
            burst[-1] = burst[-1][:1001]
            for part in [b"".join(burst)] if is_super else burst:
                connection.send(part)
            missing = set(burst)
            while missing:
                try:
                    missing.remove(connection.recv(65536))
                except KeyError:
                    raise ValueError("a datagram came back changed, or twice") from None
                except socket.timeout:
                    raise ValueError(f"{len(missing)} datagrams of {WINDOW} did not come back") from None
            sent += sum(map(len, burst))
    return sent, time.monotonic() - started


def main():
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    kind, host, port, megabytes = sys.argv[2:]
    address, size = (host, int(port)), int(megabytes) * 1_000_000
    try:
        sent, seconds = send_stream(address, size) if kind == "tcp" else send_datagrams(address, size, kind == "udp-super")
    except (OSError, ValueError) as error:
        sys.exit(f"{kind} to {host}: {error}")
    print(round(sent * 8 / seconds / 1e6))


main()
