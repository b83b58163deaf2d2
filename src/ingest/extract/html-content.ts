import type { DefaultTreeAdapterTypes } from 'parse5';

type Node = DefaultTreeAdapterTypes.ChildNode;
type Element = DefaultTreeAdapterTypes.Element;

/** Elements without text for readers, or for reading on another page. */
const leftOutTags = new Set(
  (
    'applet audio base button canvas datalist embed head iframe input link map meta nav noembed noframes noscript object ' +
    'param progress script select style svg template textarea title track video'
  ).split(' '),
);

const leftOutRoles = new Set([
  'navigation',
  'search',
  'banner',
  'contentinfo',
  'menu',
  'menubar',
  'toolbar',
  'dialog',
]);

/** What pages call their navigation, as a class or an id. */
const navigationNames =
  /^(?:(?:site|page|main|top|bottom|global|md|vp)?[-_]?(?:nav|navbar|navigation|navheader|navfooter|breadcrumbs?|pagination|menu|sidebar)|table[-_]?of[-_]?contents|skip[-_]?(?:link|nav)|headerlink|anchorjs-link|cookie[-_]?(?:banner|consent|notice))$/i;

/** What pages call the frame of all their pages, as a class or an id of an element near the body. */
const frameNames = /^(?:banner|(?:site|page)[-_]?(?:header|footer)|footer|edit|masthead)$/i;

/** Whether an element is not part of what a page says: navigation, scripts, styles, forms, and what is hidden. */
export function isLeftOut(element: Element): boolean {
  const { tagName } = element;
  if (leftOutTags.has(tagName)) return true;
  const get = (name: string) => element.attrs.find((one) => one.name === name)?.value;
  if (get('hidden') !== undefined || get('aria-hidden') === 'true') return true;
  if (leftOutRoles.has(get('role')?.toLowerCase() ?? '')) return true;
  if (/display\s*:\s*none|visibility\s*:\s*hidden/i.test(get('style') ?? '')) return true;
  const names = `${get('class') ?? ''} ${get('id') ?? ''}`.split(/\s+/);
  if (names.some((name) => navigationNames.test(name)) && !holdsMostOfPage(element)) return true;
  if (depth(element) > 3 || holdsMostOfPage(element)) return false;
  if (tagName === 'footer') return true;
  if (tagName === 'header') return !hasHeading(element);
  return names.some((name) => frameNames.test(name));
}

/** The element that holds what the page says: its only `main` or `article` if that is most of the page, else the body. */
export function mainContent(root: Element): Element {
  const body = root.childNodes.find((node): node is Element => node.nodeName === 'body') ?? root;
  const mains = elementsOf(body, (element) => element.tagName === 'main' || roleOf(element) === 'main');
  const candidates = mains.length > 0 ? mains : elementsOf(body, ({ tagName }) => tagName === 'article');
  const [only] = candidates;
  return only && candidates.length === 1 && textLength(only) * 4 > textLength(body) ? only : body;
}

const roleOf = (element: Element) => element.attrs.find(({ name }) => name === 'role')?.value.toLowerCase();

/** The elements under `root` that pass, without those inside another one that passes. */
function elementsOf(root: Element, passes: (element: Element) => boolean): Element[] {
  return root.childNodes.flatMap((node) => {
    if (!('tagName' in node)) return [];
    return passes(node) ? [node] : elementsOf(node, passes);
  });
}

const lengths = new WeakMap<Node, number>();

/** Characters of the text under a node, without scripts and styles. */
function textLength(node: Node): number {
  const known = lengths.get(node);
  if (known !== undefined) return known;
  let length = 0;
  if (node.nodeName === '#text') length = (node as DefaultTreeAdapterTypes.TextNode).value.trim().length;
  else if ('tagName' in node && !leftOutTags.has(node.tagName)) {
    for (const child of node.childNodes) length += textLength(child);
  }
  lengths.set(node, length);
  return length;
}

function holdsMostOfPage(element: Element): boolean {
  let top: Element = element;
  while (top.tagName !== 'body' && top.parentNode && 'tagName' in top.parentNode) top = top.parentNode;
  return textLength(element) * 2 > textLength(top);
}

function depth(element: Element): number {
  let steps = 0;
  let at: Element = element;
  while (at.tagName !== 'body' && at.parentNode && 'tagName' in at.parentNode) {
    at = at.parentNode;
    steps += 1;
    if (steps > 3) break;
  }
  return steps;
}

function hasHeading(element: Element): boolean {
  return element.childNodes.some(
    (child) => 'tagName' in child && (/^h[1-6]$/.test(child.tagName) || hasHeading(child)),
  );
}
