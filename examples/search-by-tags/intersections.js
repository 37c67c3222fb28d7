// Ways to find the ids that two sorted lists share. A search for two tags asks for this with lists of any lengths.

/** What most people write first. */
export function withSet(few, many) {
  const known = new Set(many);
  return few.filter((id) => known.has(id));
}

/** Both lists side by side: best where they are about as long. */
export function merge(few, many) {
  const shared = [];
  for (let i = 0, j = 0; i < few.length && j < many.length;) {
    if (few[i] === many[j]) {
      shared.push(few[i]);
      i += 1;
      j += 1;
    } else if (few[i] < many[j]) i += 1;
    else j += 1;
  }
  return shared;
}

/** Each id of the short list by bisection in the rest of the long one: best where one is far longer. */
export function bisect(few, many) {
  const shared = [];
  let from = 0;
  for (const id of few) {
    let high = many.length;
    while (from < high) {
      const middle = (from + high) >> 1;
      if (many[middle] < id) from = middle + 1;
      else high = middle;
    }
    if (many[from] === id) shared.push(id);
  }
  return shared;
}
