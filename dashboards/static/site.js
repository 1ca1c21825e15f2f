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
  // The charts' library is run by itself, so that the words need not wait for it; the page counts as loaded when it is here.
  var address = document.currentScript.dataset.bundle;
  var library = new Promise(function (ready) {
    if (!charts.length) { return; }
    var script = document.createElement("script");
    script.src = address;
    script.onload = ready;
    document.head.appendChild(script);
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
    // On a narrow screen what stands below a chart needs room: less of it.
    if (width < 420 && figure.layout.xaxis.nticks) { figure.layout.xaxis.nticks = Math.min(figure.layout.xaxis.nticks, 4); }
    return figure;
  }
  function respaced(layout) {
    var range = layout.yaxis.range;
    if (!range) { return; }
    var tall = layout.height - layout.margin.t - layout.margin.b - 24;
    var place = function (label) { return (label.y - range[0]) / (range[1] - range[0]) * tall; };
    var beside = (layout.annotations || []).filter(function (label) { return label.xref === "paper" && label.yref === "y"; });
    beside.sort(function (a, b) { return a.y - b.y; });
    var lowest = -Infinity;
    beside.forEach(function (label) {
      var at = Math.max(place(label), lowest + 15);
      label.yshift = Math.round(at - place(label));
      lowest = at;
    });
  }
  function lines(figure) {
    // Lines that a chart names one under the other, each of two lines of type at most.
    return (figure.layout.yaxis.ticktext || figure.layout.yaxis.categoryarray || []).length;
  }
  function hasNames(figure) {
    return (figure.layout.annotations || []).some(function (label) { return label.xref !== "paper"; });
  }
  function draw(chart, width) {
    if (!window.Plotly) { return library.then(function () { return draw(chart, width); }); }
    if (!width && !chart.box.clientWidth) { return Promise.resolve(); }
    var isPrint = Boolean(width);
    var figure = narrowed(copyOf(chart.figure, scheme.matches && !isPrint), width || chart.box.clientWidth);
    figure.layout.width = width || chart.box.clientWidth;
    // On paper charts are low, so that a page of them can be handed out; labels beside them move apart again. One that
    // names marks inside it keeps its height: the names were given places in it.
    if (isPrint && !hasNames(figure)) {
      figure.layout.height = Math.min(figure.layout.height, Math.max(190, 30 * lines(figure)));
      respaced(figure.layout);
    }
    chart.drawn = true;
    chart.width = figure.layout.width;
    return window.Plotly.react(chart.box, figure.data, figure.layout, { displayModeBar: false, responsive: false });
  }
  // The paper's two columns, or both of them; a window cannot be asked for them before it prints.
  function onPaper(chart) { return chart.box.closest(".panel").classList.contains("wide") ? 650 : 312; }
  function all(width) { return Promise.all(charts.map(function (chart) { return draw(chart, width); })); }
  window.__all = function () { return all(0); };

  // On paper every group is open; afterwards those are closed again that were.
  var opened = [];
  function open() {
    opened = Array.prototype.slice.call(document.querySelectorAll(".folded:not([open])"));
    opened.forEach(function (group) { group.open = true; });
  }
  function close() { opened.forEach(function (group) { group.open = false; }); opened = []; }
  function reveal() {
    var target = document.getElementById(window.location.hash.slice(1));
    var group = target && target.closest(".folded");
    if (group && !group.open) { group.open = true; target.scrollIntoView(); }
  }
  window.addEventListener("hashchange", reveal);
  reveal();

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
    window.addEventListener("beforeprint", function () { open(); charts.forEach(function (chart) { draw(chart, onPaper(chart)); }); });
    window.addEventListener("afterprint", function () { close(); all(0); });
  }

  // Filters choose among slices that the night has made; what is chosen stands in the address.
  var form = document.querySelector("form.filters");
  if (form && window.location.protocol === "file:") { form.remove(); form = null; }
  function choose(field, value) {
    if (value && Array.prototype.some.call(field.options, function (option) { return option.value === value; })) { field.value = value; }
  }
  function shown(id, figure) {
    charts.forEach(function (chart) {
      if (chart.box.id !== id) { return; }
      chart.box.hidden = !figure;
      if (figure) { chart.figure = figure; chart.box.dataset.height = figure.layout.height; chart.box.style.minHeight = figure.layout.height + "px"; draw(chart, 0); }
    });
  }
  function rewrite(id, rows, numeric) {
    var table = document.getElementById(id + "-table");
    if (!table) { return; }
    var names = Array.prototype.map.call(table.tHead.rows[0].cells, function (cell) { return cell.textContent; });
    var body = document.createElement("tbody");
    rows.forEach(function (row) {
      var line = body.insertRow();
      row.forEach(function (text, place) {
        var cell = document.createElement(place ? "td" : "th");
        if (!place) { cell.scope = "row"; }
        if (numeric.indexOf(place) >= 0) { cell.className = "number"; }
        cell.dataset.label = names[place];
        cell.textContent = text;
        line.appendChild(cell);
      });
    });
    table.replaceChild(body, table.tBodies[0]);
  }
  function enough(figure, least) {
    var copy = JSON.parse(JSON.stringify(figure));
    copy.data.forEach(function (trace) {
      if (trace.mode !== "markers") { return; }
      var kept = trace.x.map(function (x, place) { return place; }).filter(function (place) { return trace.x[place] >= least; });
      var only = function (values) { return kept.map(function (place) { return values[place]; }); };
      trace.marker.color = only(trace.marker.color);
      trace.y = only(trace.y);
      trace.x = only(trace.x);
    });
    return copy;
  }
  function slice(held, chosen) {
    var measure = chosen.measure;
    document.getElementById("closer-title").textContent = "Rates: " + held.said;
    rewrite("closer", held.rows.filter(function (row) { return !row[1] || row[1] === measure; }), [2, 3, 4]);
    shown("closer-chart", held.figures[measure]);
    var funnel = held.funnels[measure] ? enough(held.funnels[measure], Number(chosen.least)) : null;
    var dots = funnel ? funnel.data.filter(function (trace) { return trace.mode === "markers"; })[0] : null;
    shown("closer-funnel-chart", funnel);
    rewrite("closer-funnel", dots ? dots.x.map(function (x, place) { return [String(x), Math.round(dots.y[place] * 100) + "%"]; }) : [], [0, 1]);
    var said = held.said + "; " + measure + "; clinicians with at least " + chosen.least + " clients: " + (dots ? dots.x.length + " drawn" : "not drawn here") + ".";
    form.querySelector(".showing").textContent = said;
    ["closer", "closer-funnel"].forEach(function (id) { var table = document.getElementById(id + "-table"); if (table) { table.dataset.said = said; } });
  }
  function offer() {
    // Periods that the chosen place has no slice of can't be chosen, and say so.
    var files = read("slices");
    var place = form.querySelector("select[name=place]").value;
    var period = form.querySelector("select[name=period]");
    Array.prototype.forEach.call(period.options, function (option) {
      option.disabled = files.indexOf(place + "-" + option.value + ".json") < 0;
      option.textContent = option.textContent.replace(" (not told)", "") + (option.disabled ? " (not told)" : "");
    });
    if (period.selectedOptions[0].disabled) {
      period.value = (Array.prototype.filter.call(period.options, function (option) { return !option.disabled; })[0] || period.options[0]).value;
    }
  }
  function look(isChange) {
    offer();
    var chosen = {};
    Array.prototype.forEach.call(form.querySelectorAll("select"), function (field) { chosen[field.name] = field.value; });
    if (isChange) { window.history.replaceState(null, "", "?" + new URLSearchParams(chosen) + "#look-closer"); }
    var file = chosen.place + "-" + chosen.period + ".json";
    if (read("slices").indexOf(file) < 0) {
      slice({ said: "not told: the group is small, or subtracting it from another would tell of few", rows: [], figures: {}, funnels: {} }, chosen);
      return Promise.resolve();
    }
    // Whoever serves the page may have given its slices another address, so that they are of the page's own night.
    return window.fetch(form.dataset.slices + file).then(function (answer) {
      // That night is kept no longer, or the reader is signed out: the page itself is asked for again.
      if (answer.status === 410 || answer.redirected) { window.location.reload(); return Promise.resolve(); }
      return answer.json().then(function (held) { slice(held, chosen); });
    });
  }
  if (form) {
    var asked = new URLSearchParams(window.location.search);
    Array.prototype.forEach.call(form.querySelectorAll("select"), function (field) {
      choose(field, asked.get(field.name));
      field.addEventListener("change", function () { look(true); });
    });
    if (asked.toString()) { document.getElementById("look-closer").open = true; look(false); } else { offer(); }
    form.addEventListener("submit", function (event) { event.preventDefault(); });
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
    lines.push(guarded(provenance + (table.dataset.said ? " Shown: " + table.dataset.said : "")));
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
  var DRAWN = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-size"];
  function inked(from) {
    // A picture has no style sheet: what the page's one says is written into each mark.
    var copy = from.cloneNode(true);
    var originals = [from].concat(Array.prototype.slice.call(from.querySelectorAll("*")));
    [copy].concat(Array.prototype.slice.call(copy.querySelectorAll("*"))).forEach(function (mark, place) {
      var style = window.getComputedStyle(originals[place]);
      DRAWN.forEach(function (name) { mark.setAttribute(name, style.getPropertyValue(name)); });
    });
    return copy;
  }
  window.__rows = function (section) {
    var made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    var ink = window.getComputedStyle(section).color;
    var write = function (text, x, y, size, colour) {
      var line = document.createElementNS(made.namespaceURI, "text");
      line.textContent = text;
      [["x", x], ["y", y], ["font-size", size], ["fill", colour], ["font-family", "Inter, system-ui, sans-serif"]].forEach(function (pair) { line.setAttribute(pair[0], pair[1]); });
      made.appendChild(line);
    };
    var isStrip = Boolean(section.querySelector(".strips"));
    var top = 24;
    wrapped(section.querySelector("h2").textContent).split("<br>").forEach(function (line) { write(line.replace(/&lt;/g, "<").replace(/&amp;/g, "&"), 16, top, 15, ink); top += 20; });
    var items = section.querySelectorAll(".strips li, .courses li");
    items.forEach(function (item, place) {
      var across = isStrip ? 16 : 16 + (place % 4) * 220;
      var down = top + (isStrip ? place * 30 : Math.floor(place / 4) * 130);
      var said = item.querySelector(".said");
      var picture = inked(item.querySelector("svg"));
      write(item.querySelector(".who").textContent, across, down + 16, 12, ink);
      write(said.textContent, isStrip ? 610 : across, down + (isStrip ? 16 : 32), 12, window.getComputedStyle(said).color);
      [["x", isStrip ? 190 : across], ["y", down + (isStrip ? 0 : 38)], ["width", isStrip ? 400 : 200], ["height", isStrip ? 20 : 80]].forEach(function (pair) { picture.setAttribute(pair[0], pair[1]); });
      made.appendChild(picture);
    });
    var height = top + (isStrip ? items.length * 30 : Math.ceil(items.length / 4) * 130) + 16;
    made.setAttribute("width", 900);
    made.setAttribute("height", height);
    made.setAttribute("viewBox", "0 0 900 " + height);
    return made;
  };
  document.querySelectorAll("button.rows-png").forEach(function (button) {
    button.addEventListener("click", function () {
      var section = button.closest("section");
      var made = window.__rows(section);
      var image = new Image();
      image.onload = function () {
        var canvas = document.createElement("canvas");
        canvas.width = 1800;
        canvas.height = 2 * Number(made.getAttribute("height"));
        var pen = canvas.getContext("2d");
        pen.fillStyle = window.getComputedStyle(section).backgroundColor;
        pen.fillRect(0, 0, canvas.width, canvas.height);
        pen.drawImage(image, 0, 0, canvas.width, canvas.height);
        var link = document.createElement("a");
        link.href = canvas.toDataURL("image/png");
        link.download = section.id + ".png";
        link.click();
      };
      image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(made));
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
