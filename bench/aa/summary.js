// From single results to the table of docs/measuring.md.

/** Rates of one harness. `right` is keyed by effect in percent. */
export function summarise(harness, results) {
  const valid = results.filter(({ failed }) => failed === undefined);
  const same = valid.filter(({ effect }) => effect === 0);
  const different = valid.filter(({ effect }) => effect !== 0);
  const seconds = valid.map((result) => result.seconds).sort((a, b) => a - b);
  return {
    harness,
    same: count(same, ({ claim }) => claim !== 'none'),
    right: Object.fromEntries(
      [3, 5, 10].map((percent) => {
        const runs = different.filter(({ effect }) => Math.round(Math.abs(effect) * 100) === percent);
        return [percent, count(runs, isRight)];
      }),
    ),
    wrongSign: count(different, (run) => run.claim !== 'none' && !isRight(run)),
    medianSeconds: seconds[Math.floor(seconds.length / 2)],
    failed: results.length - valid.length,
  };
}

function isRight({ claim, effect }) {
  return claim === (effect > 0 ? 'slower' : 'faster');
}

function count(runs, matches) {
  return { hits: runs.filter(matches).length, of: runs.length };
}

export function formatTable(summaries) {
  const header = [
    'harness',
    'A/A: claims a difference',
    '3 % found',
    '5 % found',
    '10 % found',
    'wrong sign',
    'median time',
  ];
  const cell = ({ hits, of }) => (of === 0 ? '–' : `${hits} of ${of} (${Math.round((100 * hits) / of)} %)`);
  const rows = summaries.map(({ harness, same, right, wrongSign, medianSeconds, failed }) => [
    harness + (failed > 0 ? ` (${failed} runs failed)` : ''),
    cell(same),
    cell(right[3]),
    cell(right[5]),
    cell(right[10]),
    cell(wrongSign),
    medianSeconds === undefined ? '–' : `${medianSeconds.toFixed(1)} s`,
  ]);
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  const line = (row) => `| ${row.map((text, i) => text.padEnd(widths[i])).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
