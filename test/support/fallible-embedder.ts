import type { EmbedOptions } from '../../src/embedding/embedder.ts';
import { FunesError } from '../../src/errors.ts';
import { HashEmbedder } from '../../testkit/hash-embedder.ts';

/** An embedder that can stop, as the thread of the real one can, and that some texts make fail. */
export class FallibleEmbedder extends HashEmbedder {
  stopped = false;
  /** A text with this word fails, and all texts of its call with it. */
  poison: string | undefined;
  /** The time of a call is over when it has embedded so many texts. */
  mostOfCall = Number.POSITIVE_INFINITY;
  /** Each text that was embedded, in order. */
  readonly embedded: string[] = [];

  override async embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]> {
    this.check(texts);
    const inTime = texts.slice(0, this.mostOfCall);
    const vectors = await super.embed(inTime, options);
    this.embedded.push(...inTime);
    if (inTime.length < texts.length) throw new DOMException('The time is over.', 'TimeoutError');
    return vectors;
  }

  override async embedQuery(text: string): Promise<Float32Array> {
    this.check([text]);
    return super.embedQuery(text);
  }

  private check(texts: readonly string[]): void {
    if (this.stopped)
      throw new FunesError('UNAVAILABLE', 'The embedding model stopped. Try again in a moment.');
    const { poison } = this;
    if (poison !== undefined && texts.some((text) => text.includes(poison)))
      throw new FunesError('UNAVAILABLE', 'The embedding model stopped during this request.', {
        cause: new Error(`no embedding of ${poison}`),
      });
  }
}
