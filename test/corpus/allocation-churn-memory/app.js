const windows = [];

function smooth(samples) {
  let series = samples;
  for (let round = 0; round < 10; round += 1)
    series = [...series.map((value) => ({ value: value.value * 0.9 }))];
  return series;
}

setInterval(() => {
  windows.push(smooth(Array.from({ length: 10_000 }, (_, i) => ({ value: i }))));
  if (windows.length > 8) windows.shift();
}, 25);
