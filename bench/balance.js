// npm run bench:balance [-- --json]: how evenly the schedules spread work, in a simulation on virtual time that runs the
// partitioners of production: 2 to 128 threads × eight shapes of cost × three overheads × three seeds, all threads equally
// fast and one third of them at half speed. Shown is the makespan over the least possible: geometric mean, 5th to 95th
// percentile and worst of all points, then the default's means by threads, overhead and shape. Its goals, with a cost hint, are
// 1.08 and, with slow threads, 1.14. Nothing is timed: the figures are the same on every machine.
import { parseArgs } from 'node:util';
import { ratiosOf, SCHEDULES, summary, WHOLE_GRID } from './balance/contest.js';

const { values: flags } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const GOALS = [
  { name: 'all equal', slowThird: false, goal: 1.08 },
  { name: 'a third slow', slowThird: true, goal: 1.14 },
];

const figure = ({ mean, low, high, worst }) =>
  `${mean.toFixed(3)} (${low.toFixed(2)} to ${high.toFixed(2)}, worst ${worst.toFixed(2)})`;
const results = Object.keys(SCHEDULES).map((schedule) => ({
  schedule,
  points: GOALS.map(({ slowThird }) => ratiosOf(schedule, { slowThird })),
}));

if (flags.json) {
  console.log(
    JSON.stringify(results.map(({ schedule, points }) => ({ schedule, summaries: points.map(summary) }))),
  );
  process.exit(0);
}
const { units, participants, overheads, seeds } = WHOLE_GRID;
console.log(
  `${units} units, ${participants.join(', ')} threads, overheads ${overheads.join(', ')}, ${seeds.length} seeds\n`,
);
const width = Math.max(...results.map(({ schedule }) => schedule.length));
console.log(`${''.padEnd(width)}  ${GOALS.map(({ name }) => name.padEnd(40)).join('')}`);
for (const { schedule, points } of results)
  console.log(
    `${schedule.padEnd(width)}  ${points.map((each) => figure(summary(each)).padEnd(40)).join('')}`,
  );

const plain = results.find(({ schedule }) => schedule === 'default').points;
for (const by of ['participants', 'overhead', 'shape']) {
  console.log(`\nThe default by ${by}: ${GOALS.map(({ name }) => name).join(' / ')}`);
  const groups = plain.map((points) => grouped(points, by));
  for (const key of new Set(plain[0].map((point) => String(point[by]))))
    console.log(
      `  ${key.padEnd(12)} ${groups.map((group) => summary(group[key]).mean.toFixed(3)).join(' / ')}`,
    );
}

function grouped(points, by) {
  const groups = {};
  for (const point of points) (groups[point[by]] ??= []).push(point);
  return groups;
}

const hinted = results.find(({ schedule }) => schedule === 'default, with a cost hint').points;
let missed = 0;
GOALS.forEach(({ name, goal }, index) => {
  const { mean } = summary(hinted[index]);
  if (mean > goal) missed += 1;
  console.log(
    `${index === 0 ? '\n' : ''}The default with a cost hint, ${name}: ${mean.toFixed(3)}, goal ${goal}: ${mean <= goal ? 'reached' : 'missed'}`,
  );
});
process.exitCode = missed === 0 ? 0 : 1;
