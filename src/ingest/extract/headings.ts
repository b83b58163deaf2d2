/** The headings above a position in a document. */
export class HeadingPath {
  private readonly open: { level: number; title: string }[] = [];

  /** Enters the section of a heading. Returns the titles of the sections it is in, the highest one first, and its own. */
  enter(level: number, title: string): string[] {
    while ((this.open.at(-1)?.level ?? 0) >= level) this.open.pop();
    this.open.push({ level, title });
    return this.open.map((heading) => heading.title);
  }
}
