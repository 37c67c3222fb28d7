const TRAILING = /(\s*,\s*)+$/;
const line = `${' ,'.repeat(1)}${' '.repeat(9000)}x`;

function trimRow(row) {
  const match = row.match(TRAILING);
  return match === null ? row : row.slice(0, match.index);
}

setInterval(() => {
  globalThis.length = trimRow(line).length;
}, 200);
