// Draws charts when they come into view, recolours them in the dark, prints them at the paper's width, and saves tables
// and pictures. Pages are useful without it: every chart's numbers stand in a table.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("script");
  var read = function (id) { return JSON.parse(document.getElementById(id).textContent); };
  var dark = read("dark");
  var provenance = read("provenance");
  var scheme = window.matchMedia("(prefers-color-scheme: dark)");
  var charts = Array.prototype.map.call(document.querySelectorAll("script[data-chart]"), function (data) {
    return { box: document.getElementById(data.dataset.chart), figure: JSON.parse(data.textContent), drawn: false };
  });
  charts.forEach(function (chart) { chart.box.style.minHeight = chart.box.dataset.height + "px"; });

  // Where names were laid over codes on the page, charts say them too.
  var names = {};
  document.querySelectorAll("[data-clinician]").forEach(function (element) {
    if (element.textContent !== element.dataset.clinician) { names[element.dataset.clinician] = element.textContent; }
  });
  function replaced(value, replacements) {
    if (typeof value === "string") { return Object.hasOwn(replacements, value) ? replacements[value] : value; }
    if (Array.isArray(value)) { return value.map(function (each) { return replaced(each, replacements); }); }
    if (value && typeof value === "object") {
      var copy = {};
      Object.keys(value).forEach(function (key) { copy[key] = replaced(value[key], replacements); });
      return copy;
    }
    return value;
  }
  function copyOf(figure, isDark) { return replaced(figure, isDark ? Object.assign({}, names, dark) : names); }
  function narrowed(figure, width) {
    // On a narrow screen dates need room: fewer of them.
    if (width < 420 && figure.layout.xaxis.type === "date") { figure.layout.xaxis.nticks = 4; }
    return figure;
  }
  function draw(chart, width) {
    var isPrint = Boolean(width);
    var figure = narrowed(copyOf(chart.figure, scheme.matches && !isPrint), width || chart.box.clientWidth);
    figure.layout.width = width || chart.box.clientWidth;
    // On paper charts are low, so that a page of them can be handed out.
    if (isPrint) { figure.layout.height = Math.min(figure.layout.height, 250); }
    chart.drawn = true;
    chart.width = figure.layout.width;
    return window.Plotly.react(chart.box, figure.data, figure.layout, { displayModeBar: false, responsive: false });
  }
  // The paper's two columns, or both of them; a window cannot be asked for them before it prints.
  function onPaper(chart) { return chart.box.closest(".panel").classList.contains("wide") ? 650 : 312; }
  function all(width) { return Promise.all(charts.map(function (chart) { return draw(chart, width); })); }
  window.__all = function () { return all(0); };

  if (charts.length) {
    var watch = new IntersectionObserver(function (seen) {
      seen.forEach(function (entry) {
        if (!entry.isIntersecting) { return; }
        watch.unobserve(entry.target);
        charts.forEach(function (chart) { if (chart.box === entry.target) { draw(chart, 0); } });
      });
    }, { rootMargin: "300px" });
    charts.forEach(function (chart) { watch.observe(chart.box); });
    var waiting = 0;
    window.addEventListener("resize", function () {
      window.clearTimeout(waiting);
      waiting = window.setTimeout(function () {
        charts.forEach(function (chart) {
          if (chart.drawn && chart.width !== chart.box.clientWidth) { draw(chart, 0); }
        });
      }, 120);
    });
    scheme.addEventListener("change", function () {
      charts.forEach(function (chart) { if (chart.drawn) { draw(chart, 0); } });
    });
    window.addEventListener("beforeprint", function () { charts.forEach(function (chart) { draw(chart, onPaper(chart)); }); });
    window.addEventListener("afterprint", function () { all(0); });
  }

  function save(name, content, kind) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: kind }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  }
  function guarded(text) {
    var plain = text.replace(/\s+/g, " ").trim().replace(/^[\u25b2\u25bc\u25cf] /, "").replace(/\u2212/g, "-");
    // A spreadsheet would run a cell that starts like a formula; a plain number is no formula.
    if (/^[=+\-@\t\r]/.test(plain) && !/^[+-]?\d+([.,]\d+)?%?$/.test(plain)) { plain = "'" + plain; }
    return '"' + plain.replace(/"/g, '""') + '"';
  }
  function cellText(cell) {
    var picture = cell.querySelector("svg[aria-label]");
    return picture ? picture.getAttribute("aria-label") : cell.textContent;
  }
  window.__csv = function (table) {
    var lines = Array.prototype.map.call(table.rows, function (row) {
      return Array.prototype.map.call(row.cells, function (cell) { return guarded(cellText(cell)); }).join(",");
    });
    lines.push(guarded(provenance));
    return "\ufeff" + lines.join("\r\n") + "\r\n";
  };
  document.querySelectorAll("button.csv").forEach(function (button) {
    button.addEventListener("click", function () {
      var table = document.getElementById(button.dataset.table);
      save(table.dataset.name + ".csv", window.__csv(table), "text/csv;charset=utf-8");
    });
  });
  document.querySelectorAll("button.png").forEach(function (button) {
    button.addEventListener("click", function () {
      var chart = charts.filter(function (each) { return each.box.id === button.dataset.picture; })[0];
      var figure = copyOf(chart.figure, false);
      var title = chart.box.closest("section").querySelector("h2").textContent;
      figure.layout.title = { text: wrapped(title), font: { size: 14 }, x: 0.02, xanchor: "left" };
      figure.layout.margin.t = 64;
      window.Plotly.downloadImage(figure, { format: "png", width: 900, height: 520, scale: 2, filename: chart.box.id });
    });
  });
  function wrapped(text) {
    var lines = [""];
    text.split(" ").forEach(function (word) {
      if ((lines[lines.length - 1] + " " + word).length > 100) { lines.push(""); }
      lines[lines.length - 1] = (lines[lines.length - 1] + " " + word).trim();
    });
    return lines.map(function (line) { return line.replace(/&/g, "&amp;").replace(/</g, "&lt;"); }).join("<br>");
  }
  document.querySelectorAll("button.print").forEach(function (button) {
    button.addEventListener("click", function () { window.print(); });
  });
  window.__ready = true;
})();
