/**
 * Whether matching can take more than one pass over the text. Without an unbounded quantifier it cannot, and a
 * single one at the very end never has to give anything back. What is not a literal is believed to be able to.
 *
 * @example
 * canBacktrack('/^(a+)+$/'); // true
 * canBacktrack('/[a-z]+/g'); // false
 */
export function canBacktrack(name: string): boolean {
  const literal = /^\/(.*)\/[a-z]*$/s.exec(name);
  if (literal === null) return true;
  // Escapes and character classes stand for one character each; what is left are groups and quantifiers.
  const shape = literal[1]!.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x');
  const quantifiers = [...shape.matchAll(/[*+]|\{\d+,\}/g)];
  if (quantifiers.length === 0) return false;
  const last = quantifiers[0]!;
  const rest = shape.slice(last.index + last[0].length).replace(/^\?/, '');
  return quantifiers.length > 1 || rest !== '';
}
