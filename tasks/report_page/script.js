"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const slider = byId("threshold");
  if (!slider) return;
  document.querySelectorAll("[data-needs-script]").forEach((element) => { element.hidden = false; });
  document.querySelectorAll("[data-without-script]").forEach((element) => { element.hidden = true; });

  const PAGE = 24;
  const gallery = byId("pictures");
  const ofClass = byId("of-class"), ofKind = byId("of-kind"), order = byId("order"), more = byId("more");
  const shots = [...gallery.querySelectorAll("figure")].map((element, place) => ({
    element,
    place,
    name: element.dataset.name,
    counts: Object.fromEntries(["found", "missed", "false"].map((key) => [key, element.querySelector(`[data-count="${key}"]`)])),
    detections: [...element.querySelectorAll(".dt")].map((mark) => ({
      mark, score: Number(mark.dataset.score), name: mark.dataset.class, outcome: mark.dataset.outcome, kind: mark.dataset.kind,
    })),
    objects: [...element.querySelectorAll(".gt:not([data-crowd])")].map((mark) => ({
      mark, met: Number(mark.dataset.met ?? -1), name: mark.dataset.class,
    })),
  }));
  let cell = null;  // the places of the pictures of a cell of the confusion matrix
  let most = PAGE;

  const share = (part, whole) => (whole ? (part / whole).toFixed(3) : "\u2013");

  // Each detection was matched in the order of scores, so hiding the lowest leaves the outcome of the others as it was.
  const look = (shot, threshold) => {
    const found = { found: 0, missed: 0, false: 0, surestMistake: -1, leastSure: 2, own: new Set() };
    for (const { mark, score, name, outcome, kind } of shot.detections) {
      const below = score < threshold;
      mark.classList.toggle("below", below);
      if (below || outcome === "ignored" || (ofClass.value && name !== ofClass.value)) continue;
      found[outcome] += 1;
      found.own.add(outcome);
      if (kind) found.own.add(kind).add("mistake");
      if (outcome === "found") found.leastSure = Math.min(found.leastSure, score);
      else found.surestMistake = Math.max(found.surestMistake, score);
    }
    for (const { mark, met, name } of shot.objects) {
      const isMet = met >= threshold;
      mark.classList.toggle("met", isMet);
      if (isMet || (ofClass.value && name !== ofClass.value)) continue;
      found.missed += 1;
      found.own.add("missed").add("mistake");
    }
    return found;
  };

  const ORDERS = {
    mistakes: (a, b) => b.look.missed + b.look.false - a.look.missed - a.look.false,
    false: (a, b) => b.look.surestMistake - a.look.surestMistake,
    found: (a, b) => a.look.leastSure - b.look.leastSure,
    name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
  };

  const update = () => {
    const threshold = Number(slider.value);
    byId("threshold-shown").textContent = threshold.toFixed(2);
    const total = { found: 0, missed: 0, false: 0 };
    for (const shot of shots) {
      shot.look = look(shot, threshold);
      for (const key of ["found", "missed", "false"]) {
        total[key] += shot.look[key];
        shot.counts[key].textContent = `${shot.look[key]} ${key}`;
        shot.counts[key].classList.toggle("bad", key !== "found" && shot.look[key] > 0);
      }
      const seen = shot.detections.filter(({ score, outcome }) => score >= threshold && outcome !== "ignored");
      const ofThisClass = !ofClass.value || [...seen, ...shot.objects].some(({ name }) => name === ofClass.value);
      shot.chosen = (cell ? cell.has(shot.place) : ofThisClass) && (!ofKind.value || shot.look.own.has(ofKind.value));
    }
    const chosen = shots.filter((shot) => shot.chosen).sort((a, b) => ORDERS[order.value](a, b) || a.place - b.place);
    const shown = new Set(chosen.slice(0, most));
    for (const shot of shots) shot.element.hidden = !shown.has(shot);
    // Moving a picture that stands where it belongs would make the browser load and lay it out again.
    let before = gallery.firstElementChild;
    for (const shot of shown) {
      if (shot.element === before) before = before.nextElementSibling;
      else gallery.insertBefore(shot.element, before);
    }
    more.hidden = chosen.length <= most;
    more.textContent = `${Math.min(PAGE, chosen.length - most)} more pictures`;
    byId("clear").hidden = !(cell || ofClass.value || ofKind.value);
    byId("tally").textContent = `${chosen.length} of ${shots.length} pictures; precision ${share(total.found, total.found + total.false)}, `
      + `recall ${share(total.found, total.found + total.missed)}`;
  };

  const anew = () => { most = PAGE; update(); };
  const go = () => { anew(); byId("gallery").scrollIntoView(); };
  slider.addEventListener("input", update);
  for (const control of [ofClass, ofKind, order]) control.addEventListener("change", anew);
  more.addEventListener("click", () => { most += PAGE; update(); });
  byId("clear").addEventListener("click", () => { cell = null; ofClass.value = ""; ofKind.value = ""; anew(); });
  for (const button of document.querySelectorAll("[data-show-kind]")) {
    button.addEventListener("click", () => { cell = null; ofClass.value = ""; ofKind.value = button.dataset.showKind; go(); });
  }
  for (const button of document.querySelectorAll("[data-pictures]")) {
    button.addEventListener("click", () => {
      cell = new Set(button.dataset.pictures.split(" ").map(Number));
      ofClass.value = "";
      ofKind.value = "";
      slider.value = slider.defaultValue;
      go();
    });
  }
  update();
})();
