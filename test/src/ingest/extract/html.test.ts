import { describe, expect, test } from 'vitest';
import { htmlToMarkdown } from '../../../../src/ingest/extract/html.ts';

const textOf = (html: string) => htmlToMarkdown(html).text.trimEnd();
const headingsOf = (html: string) => htmlToMarkdown(html).parts.map(({ metadata }) => metadata.headings);

describe('a page becomes Markdown', () => {
  test('with headings, paragraphs, code and quotes', () => {
    expect(
      textOf(
        '<h1>Install</h1><p>Run <code>npm ci</code>\n in the <a href="/x">folder</a>.<p>Then<br>wait.' +
          '<pre><code>\nnpm ci\n  npm start\n</code></pre><blockquote><p>It is <b>fast</b>.</blockquote>',
      ),
    ).toBe(
      '# Install\n\nRun `npm ci` in the folder.\n\nThen\nwait.\n\n```\nnpm ci\n  npm start\n```\n\n> It is fast.',
    );
  });

  test('with lists in lists', () => {
    expect(
      textOf(
        '<ol start=3><li>three<ul><li>a</li><li>b</li></ul></li><li>four</li></ol><ul><li>x</li><ul><li>y</li></ul></ul>',
      ),
    ).toBe('3. three\n   - a\n   - b\n4. four\n\n- x\n  - y');
  });

  test('with tables, whose first row is the header', () => {
    expect(
      textOf(
        '<table><caption>Ports</caption><thead><tr><th>Name<th>Port</thead><tr><td>a|b<td>80<tr><td colspan=2>none</table>',
      ),
    ).toBe('Ports\n\n| Name | Port |\n| --- | --- |\n| a\\|b | 80 |\n| none |  |');
  });

  test('without the tables that only lay the page out', () => {
    expect(textOf('<table><tr><td><h2>Left</h2>text</td><td><pre>code</pre></td></tr></table>')).toBe(
      '## Left\n\ntext\n\n```\ncode\n```',
    );
  });

  test('in which text that looks like a mark of Markdown stays text', () => {
    expect(textOf('<p># no heading<p>- no item<p>1. no item<p>--- <p>&lt;div>')).toBe(
      '\\# no heading\n\n\\- no item\n\n1\\. no item\n\n\\---\n\n\\<div>',
    );
    expect(textOf('<pre>```\nfence\n```</pre>')).toBe('````\n```\nfence\n```\n````');
  });
});

describe('a page loses what is not its text', () => {
  test('scripts, styles, forms, comments, and what is hidden', () => {
    expect(
      textOf(
        '<head><title>T</title><style>p{}</style><script>alert("script")</script></head><body onload="x()"><p>seen' +
          '<script>document.write("<p>script</p>")</script><noscript>noscript</noscript><template>template</template>' +
          '<!-- comment --><p hidden>hidden</p><p style="display: none">hidden</p><p aria-hidden=true>hidden</p>' +
          '<textarea>form</textarea><svg><text>drawing</text></svg>',
      ),
    ).toBe('seen');
  });

  test('navigation, the head and the foot of the site', () => {
    expect(
      textOf(
        '<header><a href=/>Site</a></header><nav>Home</nav><div class="breadcrumbs">a > b</div><div role=navigation>menu</div>' +
          '<h1>Title<a class=headerlink href=#t>¶</a></h1><section id="table_of_contents"><a href=#a>A</a></section>' +
          '<p>The text of the page is longer than all that is around it.</p><div class=navfooter>Next</div><footer>©</footer>',
      ),
    ).toBe('# Title\n\nThe text of the page is longer than all that is around it.');
  });

  test('what is outside of main, if main has most of the text', () => {
    const main = '<main><p>The text of the page.</p></main>';
    expect(textOf(`<div>Advertisement</div>${main}`)).toBe('The text of the page.');
    expect(textOf(`<main><p>x</p></main><p>${'The page has its text outside. '.repeat(3)}</p>`)).toContain(
      'outside',
    );
  });

  test('but not a header of an article, or an element whose name sounds like navigation and that has the text', () => {
    expect(
      textOf('<div class="menu"><h1>Menu of the week</h1><p>Soup, fish, and a cake with apples.</p></div>'),
    ).toContain('cake');
    expect(textOf('<header><h1>Title</h1><p>By Ada</p></header><p>Text of the article.</p>')).toContain(
      'By Ada',
    );
  });
});

describe('the headings above a text', () => {
  test('are those of its section and of the sections around it', () => {
    expect(
      headingsOf('<p>before</p><h1>A</h1><p>a<h3>B <code>b</code></h3><p>b<h2>C</h2><p>c<h1>D</h1><p>d'),
    ).toEqual([['A'], ['A', 'B b'], ['A', 'C'], ['D']]);
  });

  test('are not those of a remark', () => {
    expect(headingsOf('<h1>A</h1><div class="note"><h3>Note</h3><p>n</p></div><p>a</p>')).toEqual([['A']]);
  });

  test('stand at the beginning of their part', () => {
    const { text, parts } = htmlToMarkdown('<h1>A</h1><p>a</p><h2>B</h2><p>b</p>');
    expect(parts.map(({ start, end }) => text.slice(start, end))).toEqual(['# A\n\na\n\n', '## B\n\nb\n']);
  });
});

test('a page whose elements are nested without end is refused', () => {
  expect(() => htmlToMarkdown('<div>'.repeat(200_000))).toThrow(/nested too deeply/);
});
