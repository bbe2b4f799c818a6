// What a page adds where scripts run: a figure's points told one by one, an authority shown in every figure, ways filtered.
(() => {
  const make = (tag, attributes, ...inside) => {
    const made = Object.assign(document.createElement(tag), attributes);
    made.append(...inside);
    return made;
  };

  // Points: the pointer, or the arrow keys once a figure has the focus, tell a point's numbers below the figure.
  for (const plots of document.querySelectorAll(".plots")) {
    const marks = [...plots.querySelectorAll("title")].map(title => title.parentNode);
    if (!marks.length) continue;
    const told = make("p", { className: "told" });
    told.setAttribute("role", "status");
    plots.after(told);
    plots.tabIndex = 0;
    let at = -1;
    const tell = place => {
      marks[at]?.classList.remove("on");
      at = (place + marks.length) % marks.length;
      marks[at].classList.add("on");
      told.textContent = marks[at].querySelector("title").textContent;
    };
    plots.addEventListener("pointerover", event => {
      const place = marks.indexOf(event.target);
      if (place >= 0) tell(place);
    });
    plots.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      tell(at < 0 && step < 0 ? -1 : at + step);
    });
  }

  // Authorities: one is picked, and stands out among the others in every figure that has rows of authorities.
  const rows = [...document.querySelectorAll("figure[id^=figure-each_pilot] li, figure[id^=figure-leave_one_out] li, .shaded tr")];
  const nameOf = row => row.querySelector(".name, th").textContent.replace(/^without /, "");
  const names = document.querySelectorAll("figure[id^=figure-each_pilot] li:not(.main) .name, .shaded tbody th");
  const known = [...new Set([...names].map(name => name.textContent))].filter(name => name !== "Another pilot may expect");
  const lead = document.querySelector("#answer");
  if (known.length && lead) {
    const choice = make("select", {}, new Option("none", ""), ...known.sort().map(name => new Option(name)));
    choice.addEventListener("change", () => {
      for (const row of rows) row.classList.toggle("picked", choice.value !== "" && nameOf(row) === choice.value);
    });
    lead.after(make("p", { className: "control" }, make("label", {}, "Mark an authority in every figure: ", choice)));
  }

  // Ways of doing the sums: those whose name holds what is typed; the main one stays.
  for (const figure of document.querySelectorAll("figure[id^=figure-specification_curve]")) {
    const field = make("input", { type: "search" });
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      for (const row of figure.querySelectorAll(".panel li")) {
        row.hidden = !row.classList.contains("main") && !nameOf(row).toLowerCase().includes(wanted);
      }
    });
    figure.querySelector(".rows").before(make("p", { className: "control" }, make("label", {}, "Show ways whose name holds: ", field)));
  }
})();
