# SPDX-License-Identifier: GPL-2.0
"""A connection of a client, for asyncio."""

import asyncio
import contextlib
import socket
import struct

import mqtt

# Seconds that anything may take. Only what fails takes so long.
PATIENCE = 120

ENDED = (OSError, EOFError)     # a TimeoutError is an OSError


class Stream:
    """Packets out and packets in. What ends it raises one of ENDED."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, where):
        # Not wait_for(), which sometimes makes nothing of being cancelled.
        async with asyncio.timeout(PATIENCE):
            return cls(*await asyncio.open_connection(*where))

    async def send(self, data):
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE):
            await self.writer.drain()

    async def receive(self):
        """First byte and body of the next packet, and how long it was."""
        first = (await self.reader.readexactly(1))[0]
        length = shift = 0
        while True:
            byte = (await self.reader.readexactly(1))[0]
            length |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift > 21:
                raise mqtt.ProtocolError("remaining length of more than four bytes")
        return first, await self.reader.readexactly(length), 1 + shift // 7 + length

    def reset(self):
        """Gone without a word."""
        sock = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self):
        """All that was sent is sent, and then the end."""
        self.writer.close()
        with contextlib.suppress(*ENDED):
            async with asyncio.timeout(PATIENCE):
                await self.writer.wait_closed()


async def end_session(where, client_id):
    """What a clean start of the same client does."""
    stream = await Stream.open(where)
    await stream.send(mqtt.connect(client_id))
    async with asyncio.timeout(PATIENCE):
        first, body, _ = await stream.receive()
    code = mqtt.decode(first, body).code
    await stream.send(mqtt.disconnect())
    await stream.close()
    return code
