"use strict";
(() => {
  const slider = document.getElementById("threshold");
  if (!slider) return;
  const shots = [...document.querySelectorAll("figure[data-objects]")];
  const onlyMistakes = document.getElementById("only-mistakes");
  const output = document.getElementById("threshold-shown");
  const tally = document.getElementById("tally");
  document.querySelectorAll("[data-needs-script]").forEach((element) => { element.hidden = false; });

  // Each detection was matched in the order of scores, so hiding the lowest leaves the outcome of the others as it was.
  const update = () => {
    const threshold = Number(slider.value);
    output.textContent = threshold.toFixed(2);
    let shown = 0;
    for (const shot of shots) {
      const counts = { found: 0, false: 0, ignored: 0 };
      for (const mark of shot.querySelectorAll("[data-score]")) {
        const below = Number(mark.dataset.score) < threshold;
        mark.classList.toggle("below", below);
        if (!below) counts[mark.dataset.outcome] += 1;
      }
      for (const mark of shot.querySelectorAll("[data-met]")) {
        mark.classList.toggle("met", Number(mark.dataset.met) >= threshold);
      }
      const missed = Number(shot.dataset.objects) - counts.found;
      for (const [key, value] of [["found", counts.found], ["missed", missed], ["false", counts.false]]) {
        const element = shot.querySelector(`[data-count="${key}"]`);
        element.textContent = `${value} ${key}`;
        element.classList.toggle("bad", key !== "found" && value > 0);
      }
      shot.hidden = onlyMistakes.checked && missed + counts.false === 0;
      if (!shot.hidden) shown += 1;
    }
    tally.textContent = `${shown} of ${shots.length} pictures`;
  };
  slider.addEventListener("input", update);
  onlyMistakes.addEventListener("change", update);
  update();
})();
