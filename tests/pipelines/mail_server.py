"""A mail server for tests: real sockets and real TLS, and it keeps what it was sent."""

import asyncio
import base64
import ssl
import threading
from contextlib import contextmanager


class MailServer:
    """Speaks enough SMTP for one client at a time; the first `busy` greetings turn it away."""

    def __init__(self, *, tls, starts_with_tls, busy):
        self.tls, self.starts_with_tls, self.busy = tls, starts_with_tls, busy
        self.mails, self.logins, self.port, self.greeted = [], [], 0, 0

    async def talk(self, reader, writer):
        async def say(line):
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

        self.greeted += 1
        if self.greeted <= self.busy:
            await say("421 busy")
            writer.close()
            return
        await say("220 test")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            word = line.partition(" ")[0].upper()
            if word == "EHLO":
                await say("250-test")
                await say("250-STARTTLS" if self.tls and not self.starts_with_tls else "250-8BITMIME")
                await say("250 AUTH PLAIN")
            elif word == "STARTTLS":
                await say("220 go")
                await writer.start_tls(self.tls)
            elif word == "AUTH":
                self.logins.append(base64.b64decode(line.split()[2]).decode().split("\0")[1:])
                await say("235 welcome")
            elif word == "DATA":
                await say("354 go on")
                mail = []
                while (part := (await reader.readline()).decode().rstrip("\r\n")) != ".":
                    mail.append(part)
                self.mails.append("\n".join(mail))
                await say("250 kept")
            elif word == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 ok")
        writer.close()


@contextmanager
def mail_server(*, tls=None, starts_with_tls=False, busy=0):
    """A running server on a free port of 127.0.0.1; `tls` is the pair of paths of a certificate and its key."""
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    server = MailServer(tls=context, starts_with_tls=starts_with_tls, busy=busy)
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def listen():
        listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, ssl=context if starts_with_tls else None)
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        return listening

    listening = []
    thread = threading.Thread(target=lambda: (listening.append(loop.run_until_complete(listen())), loop.run_forever()))
    thread.start()
    ready.wait(10)
    yield server

    async def stop_listening():
        listening[0].close()
        await listening[0].wait_closed()

    asyncio.run_coroutine_threadsafe(stop_listening(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
