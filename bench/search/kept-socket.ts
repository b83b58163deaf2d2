import { connect, type Socket } from 'node:net';

/**
 * An HTTP client with one open connection. It reads no more of HTTP than the answers of this server need, so that the
 * client takes little of the processor time that it measures.
 */
export class KeptSocket {
  private received: Buffer[] = [];
  private length = 0;
  private expected = -1;
  private bodyStart = 0;
  private resolve: (body: string) => void = () => {};
  private reject: (error: Error) => void = () => {};

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('error', (error) => this.reject(error));
    socket.on('close', () => this.reject(new Error('The server closed the connection.')));
  }

  static open(host: string, port: number): Promise<KeptSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port }, () => resolve(new KeptSocket(socket)));
      socket.once('error', reject);
    });
  }

  exchange(request: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.socket.write(request);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    this.received.push(chunk);
    this.length += chunk.length;
    if (this.expected < 0) this.readHead();
    if (this.expected < 0 || this.length < this.expected) return;
    const body = Buffer.concat(this.received).toString('utf8', this.bodyStart);
    this.received = [];
    this.length = 0;
    this.expected = -1;
    this.resolve(body);
  }

  private readHead(): void {
    const text = Buffer.concat(this.received).toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1];
    if (length === undefined) throw new Error(`An answer has no content-length: ${text.slice(0, end)}`);
    this.bodyStart = end + 4;
    this.expected = this.bodyStart + Number(length);
  }
}
