/* This script draws the small symbols of the legend, the card and the table from the one style table of the server.
   Every colour has a letter or a pattern beside it, so that nobody needs to tell colours apart. */
(function () {
  "use strict";
  var Mapapp = window.Mapapp = window.Mapapp || {};
  var svg = Mapapp.dom.svg;
  var serial = 0;

  /** The classes of one column (status, kind, verdict, rule …) as [{value, label, letter, color, …}], in drawing order. */
  function classes(column) {
    var style = (Mapapp.view && Mapapp.view.style) || {};
    return (style.classes && style.classes[column]) || [];
  }

  /** The class that a stored value is shown as; an unknown value gets a class that says so. */
  function classOf(column, value) {
    var list = classes(column);
    for (var i = 0; i < list.length; i++) {
      if (list[i].value === value || (list[i].members && list[i].members.indexOf(value) >= 0)) return list[i];
    }
    var none = value === null || value === undefined || value === "";
    return { value: none ? "" : value, label: none ? Mapapp.t("unknown") : String(value), letter: "?", color: "none", pattern: "hatch" };
  }

  /** Black or white, whichever reads better on the colour (WCAG relative luminance). */
  function inkOn(color) {
    var m = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color || "");
    if (!m) return "currentColor";
    var lin = m.slice(1).map(function (h) {
      var c = parseInt(h, 16) / 255;
      return c <= 0.03928 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
    });
    var light = 0.2126 * lin[0] + 0.7152 * lin[1] + 0.0722 * lin[2];
    return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? "#000000" : "#ffffff";
  }

  function frame() {
    return svg("svg", { viewBox: "0 0 24 20", "class": "swatch", "aria-hidden": "true", focusable: "false" });
  }

  function hatch(box) {
    var id = "hatch-" + (++serial);
    box.appendChild(svg("defs", {}, svg("pattern", { id: id, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 5, height: 5, fill: "var(--paper)" }), svg("path", { d: "M0 0V5", stroke: "var(--line-2)", "stroke-width": 1.6 }))));
    return "url(#" + id + ")";
  }

  function letter(text, x, y, ink) {
    return svg("text", { x: x, y: y, fill: ink, "text-anchor": "middle", "font-size": text.length > 1 ? 9 : 12, "font-weight": 600 }, text);
  }

  /** shape: "area" (compounds), "line" (pipes, links), "point" (manholes, findings). */
  function swatch(entry, shape) {
    var box = frame(), mark = entry.letter || "";
    if (shape === "line") {
      var line = { x1: 1, x2: 23, y1: 10, y2: 10, stroke: entry.color || "var(--line-2)", "stroke-width": entry.width || 3 };
      if (entry.dash && entry.dash.length) line["stroke-dasharray"] = entry.dash.join(" ");
      box.appendChild(svg("line", line));
      if (mark) {
        box.appendChild(svg("rect", { x: 12 - 3.4 * mark.length - 1, y: 4, width: 6.8 * mark.length + 2, height: 12, fill: "var(--paper)" }));
        box.appendChild(letter(mark, 12, 13.5, "currentColor"));
      }
    } else if (shape === "point") {
      var fill = entry.pattern === "hatch" || !/^#/.test(entry.color || "") ? hatch(box) : entry.color;
      box.appendChild(svg("circle", { cx: 12, cy: 10, r: 8, fill: fill, stroke: entry.stroke || "rgba(0,0,0,.35)", "stroke-width": 1 }));
      if (mark) box.appendChild(letter(mark, 12, 14, fill === entry.color ? inkOn(entry.color) : "currentColor"));
    } else {
      var solid = entry.pattern !== "hatch" && /^#/.test(entry.color || "");
      var edge = { x: 1.5, y: 1.5, width: 21, height: 17, rx: 3, fill: solid ? entry.color : hatch(box), stroke: entry.stroke || "rgba(0,0,0,.35)", "stroke-width": entry.pattern === "outline" ? 2 : 1 };
      if (entry.dash && entry.dash.length) edge["stroke-dasharray"] = entry.dash.join(" ");
      box.appendChild(svg("rect", edge));
      if (mark) box.appendChild(letter(mark, 12, 14.2, solid ? inkOn(entry.color) : "currentColor"));
    }
    return box;
  }

  /** A chip: symbol and words, for the card, tables and pages. */
  function chip(column, value, shape) {
    var entry = classOf(column, value);
    return Mapapp.dom.el("span", { "class": "chip" }, swatch(entry, shape || "area"), entry.label);
  }

  Mapapp.symbols = { classes: classes, classOf: classOf, swatch: swatch, chip: chip, inkOn: inkOn };
})();
