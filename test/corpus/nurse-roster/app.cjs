#!/usr/bin/env node
'use strict';
// Nightly job: finds a roster for the ward by simulated annealing, prints it and ends.
const { setImmediate: pause } = require('node:timers/promises');

const NURSES = 42;
const DAYS = 28;
const SHIFTS = ['off', 'early', 'late', 'night'];
const DEMAND = [0, 9, 8, 5];

function seeded(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

function emptyRoster(random) {
  return Array.from({ length: NURSES }, () =>
    Array.from({ length: DAYS }, () => Math.floor(random() * SHIFTS.length)),
  );
}

function penalty(roster) {
  let cost = 0;
  for (let day = 0; day < DAYS; day++) {
    const staffed = [0, 0, 0, 0];
    for (let nurse = 0; nurse < NURSES; nurse++) staffed[roster[nurse][day]]++;
    for (let shift = 1; shift < SHIFTS.length; shift++) cost += 10 * Math.abs(staffed[shift] - DEMAND[shift]);
  }
  for (const week of roster) {
    let run = 0;
    for (let day = 0; day < DAYS; day++) {
      run = week[day] === 0 ? 0 : run + 1;
      if (run > 5) cost += 4;
      if (day > 0 && week[day - 1] === 3 && week[day] === 1) cost += 15;
    }
  }
  return cost;
}

function mutate(roster, random) {
  const nurse = Math.floor(random() * NURSES);
  const day = Math.floor(random() * DAYS);
  const before = roster[nurse][day];
  roster[nurse][day] = Math.floor(random() * SHIFTS.length);
  return () => {
    roster[nurse][day] = before;
  };
}

async function anneal(roster, random, rounds) {
  let best = penalty(roster);
  for (let round = 0; round < rounds; round++) {
    const temperature = 40 * (1 - round / rounds);
    for (let step = 0; step < 400; step++) {
      const undo = mutate(roster, random);
      const cost = penalty(roster);
      if (cost < best || random() < Math.exp((best - cost) / (temperature + 0.01))) best = cost;
      else undo();
    }
    if (round % 500 === 0) console.log(`round ${round}: cost ${best}`);
    await pause();
  }
  return best;
}

async function main() {
  const random = seeded(7);
  const roster = emptyRoster(random);
  const cost = await anneal(roster, random, Number(process.argv[2] ?? 9000));
  console.log(`final cost ${cost}`);
  for (const [nurse, days] of roster.entries()) {
    console.log(String(nurse).padStart(2), days.map((shift) => SHIFTS[shift][0]).join(''));
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
