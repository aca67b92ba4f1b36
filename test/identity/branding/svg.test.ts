import { expect, test } from 'vitest';

import { isSvg, svgFault } from '#subgraphs/identity/branding/svg.js';

const ns = 'http://www.w3.org/2000/svg';
const svg = (inner: string, attributes = '') =>
  `<svg xmlns="${ns}"${attributes} viewBox="0 0 9 9">${inner}</svg>`;

test.concurrent.for([
  ['a script', svg('<script>alert(1)</script>')],
  ['a script by a prefix', svg('<svg:script>alert(1)</svg:script>')],
  ['an event handler', '<svg onload="alert(1)"/>'],
  ['a handler after a slash', svg('<g/onclick=alert(1)>')],
  ['a javascript link', svg('<a xlink:href="javascript:alert(1)"><text>x</text></a>')],
  ['an encoded javascript link', svg('<a href="&#106;avascript:alert(1)"><text>x</text></a>')],
  ['HTML inside', svg('<foreignObject><iframe src="x"/></foreignObject>')],
  ['an image from elsewhere', svg('<image href="https://tracker.example/x.png"/>')],
  ['data inside a reference', svg('<use href="data:image/svg+xml,..."/>')],
  ['a style from elsewhere', svg('<style>@import "https://x.example/a.css"</style>')],
  ['a url from elsewhere', svg('<rect fill="url(https://x.example/#a)"/>')],
  ['entities', '<!DOCTYPE svg [<!ENTITY x "y">]><svg/>'],
  ['an animated link', svg('<a><animate attributeName="href" values="#"/></a>')],
] as const)('an SVG with %s is refused', ([, text]) => {
  expect(svgFault(text)).toMatch(/^The SVG /);
});

test.concurrent('an ordinary drawing is no fault', () => {
  const drawing = svg('<defs><linearGradient id="g"/></defs><rect fill="url(#g)"/><use href="#g"/>');
  expect(svgFault(drawing)).toBeUndefined();
});

test('an ordinary drawing of a drawing program is no fault', () => {
  const inkscape = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- Created with Inkscape (http://www.inkscape.org/) -->
<svg xmlns="${ns}" xmlns:svg="${ns}" xmlns:xlink="http://www.w3.org/1999/xlink"
  xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"
  xmlns:inkscape='http://www.inkscape.org/namespaces/inkscape'
  xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" viewBox="0 0 9 9" inkscape:version="1.3">
  <sodipodi:namedview id="base" pagecolor="#fff"/>
  <metadata><rdf:RDF><rdf:li>Tom &amp; Jerry</rdf:li></rdf:RDF></metadata>
  <defs><svg:linearGradient id="g"/><style><![CDATA[ .a { fill: url(#g); } ]]></style></defs>
  <use xlink:href = "#g"/><rect class="a" style="filter:url('#f')"/>
  <animate attributeName="opacity" values="0;1" dur="1s"/>
</svg>`;
  const illustrator = `<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
${svg('<g><path d="M0 0h9"/></g>')}`;
  expect([svgFault(inkscape), svgFault(illustrator)]).toEqual([undefined, undefined]);
});

const characters = (text: string) => Array.from({ length: text.length }, (_, at) => at);
const replaced = (text: string, at: number, by: (character: string) => string) =>
  text.slice(0, at) + by(text[at]!) + text.slice(at + 1);
const asReference = [
  (character: string) => `&#${character.codePointAt(0)};`,
  (character: string) => `&#x${character.codePointAt(0)!.toString(16)};`,
  (character: string) => `&#0${character.codePointAt(0)};`,
];

test('no prefix hides an element, whatever its characters and its namespace', () => {
  const prefixes = ['svg', 'a', 'a.b', 'a-b', '_', 'é', '名', 'x\u0301', 'ａ'];
  const elements = ['script', 'foreignObject', 'image', 'iframe', 'handler'];
  for (const prefix of prefixes) {
    for (const name of elements) {
      const declared = ` xmlns:${prefix}="${ns}"`;
      for (const text of [
        svg(`<${prefix}:${name}>alert(1)</${prefix}:${name}>`, declared),
        svg(`<${prefix}:${name} xmlns:${prefix}='${ns}'/>`),
      ]) {
        expect([text, svgFault(text)]).toEqual([text, expect.stringMatching(/^The SVG /)]);
      }
    }
    const html = svg(`<${prefix}:p/>`, ` xmlns:${prefix} = "http://www.w3.org/1999/xhtml"`);
    expect([html, svgFault(html)]).toEqual([html, expect.stringMatching(/^The SVG /)]);
  }
});

test('no character reference hides a name, a reference or a handler', () => {
  for (const write of asReference) {
    for (const name of ['href', 'xlink:href', 'onclick']) {
      for (const at of characters(name)) {
        const text = svg(
          `<a href="#x"><set attributeName="${replaced(name, at, write)}" to="javascript:alert(1)"/></a>`,
        );
        expect([text, svgFault(text)]).toEqual([text, expect.stringMatching(/^The SVG /)]);
      }
    }
    for (const at of characters('url(')) {
      const hidden = replaced('url(', at, write);
      for (const text of [
        svg(`<rect style="fill:${hidden}https://evil.example/x)"/>`),
        svg(`<rect fill="${hidden}https://evil.example/x)"/>`),
      ]) {
        expect([text, svgFault(text)]).toEqual([text, expect.stringMatching(/^The SVG /)]);
      }
    }
  }
});

test('no CSS escape hides an address', () => {
  const escapes = [
    (character: string) => `\\${character.codePointAt(0)!.toString(16)} `,
    (character: string) => `\\${character.codePointAt(0)!.toString(16).padStart(6, '0')}`,
    (character: string) => `\\${character}`,
  ];
  for (const write of escapes) {
    for (const word of [
      'url(https://evil.example/)',
      '@import "https://evil.example/"',
      'image-set("https://evil.example/" 1x)',
    ]) {
      for (const at of characters(word).slice(0, 9)) {
        const text = svg(`<style>a{background:${replaced(word, at, write)}}</style>`);
        expect([text, svgFault(text)]).toEqual([text, expect.stringMatching(/^The SVG /)]);
      }
    }
  }
});

test.for([
  ['another encoding', `<?xml version="1.0" encoding="ISO-2022-JP"?>${svg('')}`],
  ['an escape of another encoding', svg('<scr\u001b(Bipt>alert(1)</script>')],
  ['a greater-than before what is animated', svg('<a><animate values="a>b" attributeName="href"/></a>')],
  ['a base elsewhere', svg('<use xml:base="https://evil.example/" href="#x"/>')],
  ['a set of images', svg('<style>a{background:image-set("https://evil.example/x" 1x)}</style>')],
  ['an entity after a document type', `<!DOCTYPE svg SYSTEM "a>b" [<!ENTITY x "y">]>${svg('')}`],
  ['a style sheet', `<?xml-stylesheet href="#x"?>${svg('')}`],
  ['a namespace without quotes', svg('<h:p/>', ' xmlns:h=http://www.w3.org/1999/xhtml')],
] as const)('an SVG with %s is refused too', ([, text]) => {
  expect(svgFault(text)).toMatch(/^The SVG /);
});

test.each([
  '<style>*{fill:u<!-- -->rl(https://elsewhere.example/x)}</style>',
  '<style>@im<![CDATA[port "https://elsewhere.example/x.css"]]></style>',
  '<style><![CDATA[@im]]><![CDATA[port "https://elsewhere.example/x.css"]]></style>',
])('a style that is cut in two is refused: %s', (style) => {
  expect(svgFault(`<svg xmlns="http://www.w3.org/2000/svg">${style}</svg>`)).toMatch(/^The SVG /);
});

test('a style in a section of its own is taken', () => {
  const style = '<style type="text/css"><![CDATA[ .a{fill:#fff} ]]></style>';
  expect(svgFault(`<svg xmlns="http://www.w3.org/2000/svg">${style}</svg>`)).toBeUndefined();
});

// With a pattern that takes quadratic time these end by the test's timeout.
test.each([
  '< ',
  '<',
  ' ',
  '/xmlns:',
  '<?xml ',
  'attributeName= ',
  'attributeName=a',
  ' on',
  '<style ',
  '<!DOCTYPE ',
])('half a million characters of %j are judged', (part) => {
  const text = `<svg xmlns="http://www.w3.org/2000/svg"><${part.repeat(500_000 / part.length)}></svg>`;
  expect(typeof svgFault(text)).toMatch(/string|undefined/);
});

test('what begins with many comments is told from a drawing', () => {
  const comments = '<!-- made by hand -->\n'.repeat(10_000);
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  expect([isSvg(`${comments}${drawing}`), isSvg(`${comments}x`), isSvg('<!--'.repeat(100_000))]).toEqual([
    true,
    false,
    false,
  ]);
});
