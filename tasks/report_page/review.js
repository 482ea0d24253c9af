"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const gallery = byId("suspects");
  if (!gallery) return;
  document.querySelectorAll("[data-needs-script]").forEach((element) => { element.hidden = false; });

  const PAGE = 12;
  const STORE = "labels that are right";
  const ofKind = byId("of-kind"), back = byId("back"), on = byId("on");
  const suspects = [...gallery.querySelectorAll("figure")].map((element) => ({
    element, kind: element.dataset.kind, kept: element.dataset.kept, button: element.querySelector("button.right"),
  }));
  let page = 0;

  // A browser may refuse to remember anything of a page that is a file: then it lasts until the page is closed.
  const remembered = () => {
    try { return new Set(JSON.parse(localStorage.getItem(STORE) || "[]")); } catch { return new Set(); }
  };
  const right = remembered();
  const remember = () => {
    try { localStorage.setItem(STORE, JSON.stringify([...right])); } catch { /* see above */ }
  };

  const chosen = () => suspects.filter(({ kind }) => !ofKind.value || kind === ofKind.value);
  const marked = () => suspects.filter(({ kept }) => right.has(kept));

  const update = () => {
    const own = chosen();
    const pages = Math.max(1, Math.ceil(own.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const shown = new Set(own.slice(page * PAGE, (page + 1) * PAGE));
    for (const suspect of suspects) {
      const { element, button, kept } = suspect;
      element.hidden = !shown.has(suspect);
      element.classList.toggle("is-right", right.has(kept));
      button.setAttribute("aria-pressed", String(right.has(kept)));
    }
    byId("where").textContent = `page ${page + 1} of ${pages}`;
    back.disabled = page === 0;
    on.disabled = page === pages - 1;
    byId("decided").textContent = `${marked().length} marked as right`;
    byId("save").disabled = !marked().length;
  };
  const turn = (by) => { page += by; update(); window.scrollTo(0, 0); };

  back.addEventListener("click", () => turn(-1));
  on.addEventListener("click", () => turn(1));
  ofKind.addEventListener("change", () => { page = 0; update(); });
  for (const { button, kept } of suspects) {
    button.addEventListener("click", () => {
      if (!right.delete(kept)) right.add(kept);
      remember();
      update();
    });
  }
  byId("save").addEventListener("click", () => {
    const content = JSON.stringify({ kept: marked().map(({ kept }) => JSON.parse(kept)) }, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
    link.download = gallery.dataset.fileName;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input")) return;
    if (event.key === "j" || event.key === "ArrowRight") turn(1);
    if (event.key === "k" || event.key === "ArrowLeft") turn(-1);
  });
  update();
})();
