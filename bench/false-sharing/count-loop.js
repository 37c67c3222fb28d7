/** What a thread does to its field, many times over. */
export const KINDS = ['atomic', 'plain'];

/**
 * Counts in one field of the only record: with `Atomics.add`, or with a plain read and write through a cursor.
 * Compiled from a text of its own for each layout: one function for both would see two shapes of cursors.
 */
export function countLoop(array, field, kind, turns) {
  if (kind === 'plain') {
    const record = array.cursor();
    record.index = 0;
    const loop = new Function(
      'record',
      `for (let i = 0; i < ${turns}; i += 1) record.${field} = record.${field} + 1;`,
    );
    return () => loop(record);
  }
  const { buffer, offsetBytes } = array.descriptor;
  const words = new Uint32Array(buffer, offsetBytes);
  const { offsetBytes: at } = array.descriptor.type.node.fields.find(({ name }) => name === field);
  const loop = new Function(
    'words',
    'at',
    `for (let i = 0; i < ${turns}; i += 1) Atomics.add(words, at, 1);`,
  );
  return () => loop(words, at / 4);
}
