import { Lexer, Source, TokenKind } from 'graphql';
import { expect, test } from 'vitest';
import { countTokens } from '../../../../src/http/operation/token-count.ts';

/** As graphql counts them. */
function tokensOf(document: string): number {
  const lexer = new Lexer(new Source(document));
  let count = 0;
  while (lexer.advance().kind !== TokenKind.EOF) count++;
  return count;
}

test.each([
  ['nothing', '', undefined],
  [
    'names and punctuation',
    'query A($a: [Int!]! = {x: 1}) @d { b(c: $a) @e { ...F } } fragment F on T { g }',
    'b',
  ],
  ['a name before a spread', '{ a ...F b...G }', 'b'],
  ['numbers', '{ a(x: [0, -1, 1.5, -1.5e-3, 2E+7, 12]) b }', 'a'],
  ['strings', String.raw`{ a b(x: "", y: "a \" { b", z: "\\") }`, 'b'],
  ['block strings', String.raw`{ a(x: """""", y: """ a " "" \""" { b """) b }`, 'a'],
  ['comments', '# { "\n{ a # b } """\r b(c: 1) }', 'b'],
  ['aliases', '{ x: a { b c d e } y: a { b c } z { b c d e } }', 'a'],
  ['fragments in place', '{ a ... on T { b c } ... @include(if: true) { d } e }', 'a'],
  ['several operations', 'query A { a b(x: { y: 1, z: 2 }) { c } } mutation B { d { e f } }', 'b'],
])('%s are counted as graphql does', (_, document, dearest) => {
  const count = countTokens(document, 1000);
  expect(count).toMatchObject({ tokens: tokensOf(document), more: false });
  expect(count.dearest?.field).toBe(dearest);
});

test('a count ends where it is told to', () => {
  const document = '{ a b c }';
  expect(countTokens(document, 5)).toMatchObject({ tokens: 5, more: false });
  expect(countTokens(document, 4)).toMatchObject({ tokens: 4, more: true });
});

test('a document that ends within a string is counted to its end', () => {
  expect(countTokens('{ a(x: "never', 100).tokens).toBe(6);
  expect(countTokens('{ a(x: """never " ""', 100).tokens).toBe(6);
});
