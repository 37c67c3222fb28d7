/**
 * A loop in copies of its own, one for each kind of typed array.
 *
 * V8 keeps what it learns of element kinds by source text. A loop that has seen one kind of array reads it in a load;
 * one that has seen more than four reads every element through a look-up, ten times as slow, for as long as the process
 * lives. A library's loops see what all of a program's parts bring. So each kind has a copy, compiled from the loop's own
 * source when that kind first comes, under a text of its own. Which copy runs decides nothing but time: all of them take
 * every kind.
 *
 * The loops are closed: they use nothing but their arguments. Where code generation from strings is forbidden, or an
 * instrumented source turns out not to be closed, the loop itself serves all kinds.
 *
 * Rejected: the loops written out once for each kind (some hundred functions), and choosing inside of the loop.
 */

type Loop = (...args: never[]) => unknown;

let made = 0;

/** @param count of kinds, or of pairs of them. */
export function copies<F extends Loop>(loop: F, count: number): readonly F[] {
  const all: F[] = [];
  for (let kind = 0; kind < count; kind += 1) {
    // Replaces itself at its first call.
    all.push(((...args: never[]) => {
      const copy = copyOf(loop);
      try {
        const result = copy(...args);
        all[kind] = copy;
        return result;
      } catch (error) {
        if (!(error instanceof ReferenceError)) throw error;
        // Counters of a coverage tool, say, which stand before anything else.
        all[kind] = loop;
        return loop(...args);
      }
    }) as F);
  }
  return all;
}

function copyOf<F extends Loop>(loop: F): F {
  made += 1;
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a loop of this library; nothing of a caller's is in it
    const make = new Function(`/* ${made} */ return ${loop.toString()}`) as () => F;
    return make();
  } catch (error) {
    if (error instanceof EvalError || error instanceof SyntaxError) return loop;
    throw error;
  }
}
