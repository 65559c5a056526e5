import { createServer, type Socket } from "node:net";

export interface ReceivedMail {
  readonly from: string;
  readonly to: string;
  readonly data: string;
}

/** A mail relay on 127.0.0.1, without TLS, that wants user "godwit" and password "relay-secret", and keeps what it is handed. */
export interface SmtpRelay {
  readonly url: string;
  readonly mails: readonly ReceivedMail[];
  close(): Promise<void>;
}

export async function startSmtpRelay(): Promise<SmtpRelay> {
  const mails: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    const say = (line: string) => socket.write(`${line}\r\n`);
    let mail = { from: "", to: "", data: "" };
    let known = false;
    let inData = false;
    let text = "";
    const handle = (line: string) => {
      if (inData) {
        if (line !== ".") mail.data += `${line}\n`;
        else {
          inData = false;
          mails.push(mail);
          mail = { from: "", to: "", data: "" };
          say("250 kept");
        }
        return;
      }
      const address = /<([^>]*)>/.exec(line)?.[1] ?? "";
      if (/^EHLO/i.test(line)) socket.write("250-relay\r\n250 AUTH PLAIN\r\n");
      else if (/^AUTH PLAIN /i.test(line)) {
        known = Buffer.from(line.slice(11), "base64").toString() === "\0godwit\0relay-secret";
        say(known ? "235 welcome" : "535 no");
      } else if (/^MAIL FROM:/i.test(line)) {
        mail.from = address;
        say(known ? "250 ok" : "530 who are you?");
      } else if (/^RCPT TO:/i.test(line)) {
        mail.to = address;
        say("250 ok");
      } else if (/^DATA/i.test(line)) {
        inData = true;
        say("354 go on");
      } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
      else say("250 ok");
    };
    socket.on("data", (chunk) => {
      text += chunk.toString("utf8");
      for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        handle(line);
      }
    });
    say("220 relay");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `smtp://godwit:relay-secret@127.0.0.1:${port}`,
    mails,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
