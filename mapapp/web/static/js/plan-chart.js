/* This script draws households against money, with the budget and what the first stage reaches. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var svg = Mapapp.dom.svg,
    t = Mapapp.t;
  var W = 360,
    H = 132,
    L = 40,
    R = 8,
    T = 10,
    B = 24;

  function nice(most) {
    var step = Math.pow(10, Math.floor(Math.log(most / 3) / Math.LN10));
    return (
      [1, 2, 5, 10].filter(function (n) {
        return most / (n * step) <= 4;
      })[0] * step
    );
  }

  /** chart([[money, households], …], {cost, households} of stage 1, budget or null) -> svg */
  function chart(curve, first, budget) {
    var last = curve[curve.length - 1],
      money = Math.max(last[0], 1),
      people = Math.max(last[1], 1);
    var x = function (v) {
        return L + ((W - L - R) * v) / money;
      },
      y = function (v) {
        return T + (H - T - B) * (1 - v / people);
      };
    var path = "M" + x(0) + " " + y(0);
    curve.slice(1).forEach(function (p) {
      path += "L" + x(p[0]).toFixed(1) + " " + y(p[1]).toFixed(1);
    });
    var ticks = [],
      step = nice(people),
      v;
    for (v = 0; v <= people + 1e-9; v += step)
      ticks.push(
        svg("path", { "class": "c-grid", d: "M" + L + " " + y(v) + "H" + (W - R) }),
        svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end" }, Mapapp.format.number(v))
      );
    step = nice(money);
    for (v = step; v <= money + 1e-9; v += step)
      ticks.push(
        svg(
          "text",
          { x: Math.min(x(v), W - 24), y: H - 6, "text-anchor": "middle" },
          Mapapp.lang === "en" ? Mapapp.format.number(v / 1000) + "k" : Mapapp.format.number(v / 10000, 1) + "万"
        )
      );
    return svg(
      "svg",
      { viewBox: "0 0 " + W + " " + H, "class": "plan-chart", role: "img", "aria-label": t("plan.curve_label") },
      ticks,
      svg("path", { "class": "c-area", d: path + "V" + y(0) + "H" + x(0) + "Z" }),
      svg("path", { "class": "c-line", d: path }),
      budget === null
        ? null
        : svg("path", { "class": "c-budget", d: "M" + x(Math.min(budget, money)).toFixed(1) + " " + T + "V" + (H - B) }),
      svg("circle", { "class": "c-dot", cx: x(first.cost).toFixed(1), cy: y(first.households).toFixed(1), r: 5 })
    );
  }

  Mapapp.planChart = { chart: chart };
})();
