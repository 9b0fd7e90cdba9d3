/* This script draws the small symbols of the legend, the card and the table from the one style table of the server.
   Every colour has a letter or a pattern beside it, so that nobody needs to tell colours apart. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var svg = Mapapp.dom.svg;
  var serial = 0;

  /* Which style dresses a column; rules are listed under the findings, each with the look of its severity. */
  var STYLE = { status: "compounds", verdict: "verdicts", kind: "pipes", facility: "outlets", severity: "findings" };

  var GAPS = [
    "not_connected",
    "no_main",
    "dangling",
    "wrong_outlet",
    "no_gravity",
    "inlet_unknown",
    "no_data",
    "contradicts_ledger"
  ];

  function isGap(rule) {
    return GAPS.indexOf(rule.id) >= 0;
  }

  function entry(found) {
    var members = (found.values || []).map(function (value) {
      return value === "" ? "?" : value;
    });
    return {
      value: found.id,
      label: found.label,
      letter: found.letter || "",
      members: members.length ? members : [found.id],
      color: found.fill || found.stroke || "",
      fill: found.fill,
      stroke: found.stroke,
      dash: found.dash,
      width: found.width,
      ink: found.ink,
      pattern: found.hatch ? "hatch" : "",
      opacity: found.opacity,
      symbol: found.symbol,
      why: found.why || ""
    };
  }

  /** The classes of one style or column (status, kind, verdict, rule …) as [{value, label, letter, members, color …}], in drawing order. */
  function classes(column) {
    var style = (Mapapp.view && Mapapp.view.style) || {};
    if (column === "rule" || column === "rules") {
      var levels = ((style.findings && style.findings.classes) || []).map(entry);
      var rules = (style.findings && style.findings.rules) || [];
      // what a compound lacks comes first, what the drawing lacks after it
      rules = rules.filter(isGap).concat(
        rules.filter(function (rule) {
          return !isGap(rule);
        })
      );
      return rules.map(function (rule) {
        var look =
          levels.filter(function (level) {
            return level.members.indexOf(rule.severity) >= 0;
          })[0] || {};
        return Object.assign({}, look, {
          value: rule.id,
          label: rule.label,
          members: [rule.id],
          why: rule.why || "",
          severity: rule.severity
        });
      });
    }
    var found = style[STYLE[column] || column];
    return found ? found.classes.map(entry) : [];
  }

  /** The classes a layer is drawn in, in legend order; findings are listed rule by rule. */
  function ofLayer(name) {
    return classes(name === "findings" ? "rule" : name);
  }

  function mix(color, other, share) {
    if (!/^#[0-9a-f]{6}$/i.test(color || "")) return color;
    return (
      "#" +
      [1, 3, 5]
        .map(function (i) {
          var value = Math.round(
            parseInt(color.slice(i, i + 2), 16) * (1 - share) + parseInt(other.slice(i, i + 2), 16) * share
          );
          return ("0" + value.toString(16)).slice(-2);
        })
        .join("")
    );
  }

  /** The style table for a dark ground: streets recede, dark lines are lightened so that they stand out from it. */
  function forDark(style) {
    var out = Object.assign({}, style);
    ["streets", "pipes", "manholes", "buildings", "candidates", "survey_areas", "waters"].forEach(function (name) {
      if (!out[name]) return;
      out[name] = Object.assign({}, out[name], {
        classes: out[name].classes.map(function (one) {
          if (name === "streets") return Object.assign({}, one, { stroke: mix(one.stroke, "#14171a", 0.72) });
          if (name === "waters") return Object.assign({}, one, { fill: "#1f333d", stroke: "#2c4753" });
          if (name === "buildings")
            return Object.assign({}, one, {
              fill: mix(one.fill, "#14171a", 0.7),
              stroke: mix(one.stroke, "#14171a", 0.5)
            });
          return Object.assign({}, one, { stroke: mix(one.stroke, "#ffffff", 0.4) });
        })
      });
    });
    return out;
  }

  /** The class that a stored value is shown as; an unknown value gets a class that says so. */
  function classOf(column, value) {
    var list = classes(column);
    var none = value === null || value === undefined || value === "";
    var word = none ? "?" : String(value);
    for (var i = 0; i < list.length; i++) {
      if (list[i].members.indexOf(word) >= 0) return list[i];
    }
    return {
      value: word,
      label: none ? Mapapp.t("unknown") : word,
      letter: "?",
      members: [word],
      color: "",
      pattern: "hatch"
    };
  }

  /** How many rows of a column's counts fall in a class; values that no class names are the unknown class's. */
  function countIn(list, one, by) {
    var named = {};
    list.forEach(function (other) {
      other.members.forEach(function (value) {
        named[value] = true;
      });
    });
    var rest = one.members.indexOf("?") >= 0 || one.value === "unknown";
    return Object.keys(by).reduce(function (sum, value) {
      return sum + (one.members.indexOf(value) >= 0 || (rest && !named[value]) ? by[value] : 0);
    }, 0);
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
    var id = "hatch-" + ++serial;
    box.appendChild(
      svg(
        "defs",
        {},
        svg(
          "pattern",
          { id: id, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
          svg("rect", { width: 5, height: 5, fill: "var(--paper)" }),
          svg("path", { d: "M0 0V5", stroke: "var(--line-2)", "stroke-width": 1.6 })
        )
      )
    );
    return "url(#" + id + ")";
  }

  function letter(text, x, y, ink) {
    return svg(
      "text",
      { x: x, y: y, fill: ink, "text-anchor": "middle", "font-size": text.length > 1 ? 9 : 12, "font-weight": 600 },
      text
    );
  }

  /** shape: "area" (compounds), "line" (pipes, links), "point" (manholes, findings). */
  function swatch(entry, shape) {
    var box = frame(),
      mark = entry.letter || "";
    if (shape === "line") {
      var line = {
        x1: 1,
        x2: 23,
        y1: 10,
        y2: 10,
        stroke: entry.color || "var(--line-2)",
        "stroke-width": entry.width || 3
      };
      if (entry.dash && entry.dash.length) line["stroke-dasharray"] = entry.dash.join(" ");
      box.appendChild(svg("line", line));
      if (mark) {
        box.appendChild(
          svg("rect", {
            x: 12 - 3.4 * mark.length - 1,
            y: 4,
            width: 6.8 * mark.length + 2,
            height: 12,
            fill: "var(--paper)"
          })
        );
        box.appendChild(letter(mark, 12, 13.5, "currentColor"));
      }
    } else if (shape === "point") {
      var fill = entry.pattern === "hatch" || !/^#/.test(entry.color || "") ? hatch(box) : entry.color;
      var SHAPES = {
        triangle: "M12 1 22 19H2z",
        diamond: "M12 0.5 22 10 12 19.5 2 10z",
        square: "M3 2h18v16H3z",
        rect: "M3 6h18v8H3z",
        drop: "M12 0.5C17 8 19 10 19 13a7 7 0 0 1-14 0C5 10 7 8 12 .5z"
      };
      var edge = {
        fill: fill,
        stroke: entry.stroke && entry.stroke !== "#FFFFFF" ? entry.stroke : "rgba(0,0,0,.35)",
        "stroke-width": 1
      };
      box.appendChild(
        SHAPES[entry.symbol]
          ? svg("path", Object.assign({ d: SHAPES[entry.symbol] }, edge))
          : svg("circle", Object.assign({ cx: 12, cy: 10, r: 8.5 }, edge))
      );
      if (mark)
        box.appendChild(
          letter(
            mark,
            12,
            entry.symbol === "triangle" ? 16.5 : 14,
            fill === entry.color ? entry.ink || inkOn(entry.color) : "currentColor"
          )
        );
    } else {
      var solid = entry.pattern !== "hatch" && /^#/.test(entry.color || "");
      var edge = {
        x: 1.5,
        y: 1.5,
        width: 21,
        height: 17,
        rx: 3,
        fill: solid ? entry.color : hatch(box),
        "fill-opacity": solid && entry.opacity < 0.5 ? Math.max(entry.opacity, 0.12) : 1,
        stroke: entry.stroke || "rgba(0,0,0,.35)",
        "stroke-width": entry.width || 1
      };
      if (entry.dash && entry.dash.length) edge["stroke-dasharray"] = entry.dash.join(" ");
      box.appendChild(svg("rect", edge));
      if (mark) box.appendChild(letter(mark, 12, 14.2, solid ? entry.ink || inkOn(entry.color) : "currentColor"));
    }
    return box;
  }

  /** A chip: symbol and words, for the card, tables and pages. */
  function chip(column, value, shape) {
    var entry = classOf(column, value);
    return Mapapp.dom.el("span", { "class": "chip" }, swatch(entry, shape || "area"), entry.label);
  }

  Mapapp.symbols = {
    classes: classes,
    ofLayer: ofLayer,
    forDark: forDark,
    classOf: classOf,
    countIn: countIn,
    swatch: swatch,
    chip: chip,
    inkOn: inkOn
  };
})();
