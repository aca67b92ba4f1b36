/*
 * An SVG is shown to people of other organizations, so what a drawing does not need is refused. It is not parsed: the rules
 * hold for the text wherever it stands, in comments too, and what could make a parser read another text than they do
 * (encodings, entities, character references, CSS escapes, foreign namespaces) is refused first. The patterns take
 * time in proportion to the text, whatever it holds: no two repetitions side by side can stand for one another.
 */

/** Of drawings, and of what drawing programs note down beside them; elements of others are not inert. */
const namespaces = [
  'http://www.w3.org/2000/svg',
  'http://www.w3.org/1999/xlink',
  'http://www.w3.org/XML/1998/namespace',
  'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  'http://purl.org/dc/elements/1.1/',
  'http://creativecommons.org/ns#',
  'http://web.resource.org/cc/',
  'http://www.inkscape.org/namespaces/inkscape',
  'http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd',
  'http://ns.adobe.com/',
  'http://www.bohemiancoding.com/sketch/ns',
  'http://www.serif.com/',
  'http://vectornator.io',
];

const activeElements = new Set(
  'script handler listener foreignobject iframe object embed image feimage audio video canvas link meta base'.split(
    ' ',
  ),
);

const elsewhere = 'The SVG refers to something outside itself';

/** How to read this table: what no logo needs, and why it is refused. */
const faults: readonly [(text: string) => boolean, string][] = [
  [has(/(?![\t\n\r])[\p{Cc}\uFFFD]/u), 'The SVG holds control characters or is not UTF-8'],
  [has(/<\?xml\b(?![^>]{0,200}\?>)/i), 'The SVG begins with something odd'],
  [has(/<\?xml\b[^>]{0,200}\bencoding ?=(?! ?["']utf-8["'])/i), 'The SVG must be UTF-8'],
  [has(/<\?(?!xml\s)/i), 'The SVG holds a processing instruction'],
  [has(/<!(?!--|\[CDATA\[|DOCTYPE\s[^[>]{0,300}>)/i), 'The SVG declares entities'],
  [has(/<\s/), 'The SVG is not well-formed'],
  [has(/&(?!(amp|lt|gt|quot|apos);)/), 'The SVG holds entities or character references'],
  [has(/\\/), 'The SVG holds a backslash'],
  [hasForeignNamespace, 'The SVG holds something that is no SVG'],
  [hasActiveElement, 'The SVG holds a script or embeds something else'],
  [has(/[\s"'/]on[^\s=<>"'/]* ?=/i), 'The SVG holds an event handler'],
  // Only a reference within the drawing itself is left, so javascript: and data: are out in every spelling.
  [has(/[\s"'/:](href|src) ?=(?! ?["']? ?#)/i), elsewhere],
  [has(/xml:base/i), elsewhere],
  [has(/url\((?! ?["']? ?#)/i), elsewhere],
  // A parser joins what comments and further sections cut in two.
  [has(/[<:]style\b[^<>]*>(?:(?! ?<!\[CDATA\[)| ?<!\[CDATA\[)[^<]*<!/i), elsewhere],
  [has(/@import|image-set|cross-fade|\b(src|image) ?\(/i), elsewhere],
  [has(/attributeName ?= ?["']? ?([^"'\s:=]*:)*(href|src|on|base)/i), 'The SVG animates a reference'],
];

/** What may come before the drawing. A comment ends at its first `-->`, or n of them could be read in 2^n ways. */
const prolog =
  /^\uFEFF?\s*(<\?xml[^>]*\?>\s*)?(<!--(?:(?!-->)[^])*-->\s*)*(<!DOCTYPE\s+svg[^>[]*>\s*)?<svg[\s>]/i;

/** Whether a text is a drawing at all. */
export function isSvg(text: string): boolean {
  return prolog.test(text);
}

/** Why an SVG is refused, if it is. */
export function svgFault(text: string): string | undefined {
  // One space for all means the same to every rule, and is quickly read past.
  const spaced = text.replaceAll(/[\t\n\r ]+/g, ' ');
  return faults.find(([isIn]) => isIn(spaced))?.[1];
}

function has(pattern: RegExp): (text: string) => boolean {
  return (text) => pattern.test(text);
}

/** By its local name, for a prefix may be anything. */
function hasActiveElement(text: string): boolean {
  return [...text.matchAll(/<\/?([^\s<>/!?][^\s<>/]*)/g)].some(([, name = '']) =>
    activeElements.has(name.slice(name.lastIndexOf(':') + 1).toLowerCase()),
  );
}

function hasForeignNamespace(text: string): boolean {
  const declared = [...text.matchAll(/[\s"'/]xmlns(?=[\s:=])/g)].length;
  const read = [...text.matchAll(/[\s"'/]xmlns(?::[^\s=:]+)? ?= ?(?:"([^"]*)"|'([^']*)')/g)];
  const isKnown = (uri: string) => namespaces.some((known) => uri.startsWith(known));
  return read.length !== declared || read.some(([, double, single]) => !isKnown(double ?? single ?? ''));
}
