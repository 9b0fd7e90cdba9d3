/* This script writes what is known of one feature: heading, verdict, evidence, candidates, planned link, problems, attributes. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var MARK = { good: "check", bad: "cross", warning: "warn", unknown: "ask" };

  /** good, bad, warning or unknown: how a verdict reads at a glance. */
  function tone(verdict) {
    if (!verdict) return "unknown";
    if (verdict.served === true || verdict.id === "connected") return "good";
    if (verdict.id === "no_data" || verdict.id === "inlet_unknown" || (verdict.served === null && !verdict.severity))
      return "unknown";
    return "bad";
  }

  function heading(feature, level) {
    var status = attribute(feature, "status");
    var layer = layerOf(feature.layer);
    var column = layer ? Mapapp.legend.columnOf(layer) : null;
    var mark =
      feature.layer === "compounds"
        ? status === undefined
          ? null
          : Mapapp.symbols.chip("status", status, "area")
        : column && attribute(feature, column) !== undefined
          ? Mapapp.symbols.chip(column, attribute(feature, column), Mapapp.legend.shapeOf(layer))
          : null;
    var place = ["street", "community"]
      .map(function (name) {
        return attribute(feature, name);
      })
      .filter(Boolean);
    var year = attribute(feature, "programme_year");
    if (year) place.push(t("card.year", { year: year }));
    return [
      el(level || "h2", { "class": "card-title" }, feature.title || feature.id),
      el(
        "p",
        { "class": "card-sub" },
        mark,
        place.length
          ? el("span", { "class": "muted" }, place.join(" · "))
          : el("span", { "class": "muted" }, (feature.layer_title || (layer ? layer.title : "")) + " " + feature.id)
      )
    ];
  }

  function layerOf(name) {
    return ((Mapapp.view && Mapapp.view.layers) || []).filter(function (layer) {
      return layer.name === name;
    })[0];
  }

  function attribute(feature, name) {
    var found = (feature.attributes || []).filter(function (item) {
      return item.name === name;
    })[0];
    return found ? found.value : undefined;
  }

  function verdictBox(feature) {
    var verdict = feature.verdict;
    if (!verdict) return null;
    var kind = tone(verdict);
    return el(
      "div",
      { "class": "verdict " + kind },
      Mapapp.dom.icon(MARK[kind]),
      el("p", {}, el("b", {}, verdict.title || verdict.id), el("span", { "class": "sentence" }, verdict.sentence || ""))
    );
  }

  /** Evidence comes as sentences with semicolons; each part is a line of its own. */
  function lines(evidence) {
    return []
      .concat(evidence)
      .join("\n")
      .split(/[;；\n]\s*/)
      .map(function (line) {
        return line.replace(/[。.]\s*$/, "");
      })
      .filter(Boolean);
  }

  function evidenceList(feature, all) {
    var list = lines((feature.verdict && feature.verdict.evidence) || []);
    if (!list.length) return null;
    var rest = list.slice(3);
    return el(
      "section",
      {},
      el("h3", {}, t("card.evidence")),
      el(
        "ol",
        { "class": "evidence" },
        (all ? list : list.slice(0, 3)).map(function (item) {
          return el("li", {}, item);
        })
      ),
      !all && rest.length
        ? el(
            "details",
            {},
            el("summary", {}, t("card.more_evidence", { n: rest.length })),
            el(
              "ol",
              { "class": "evidence", start: 4 },
              rest.map(function (item) {
                return el("li", {}, item);
              })
            )
          )
        : null
    );
  }

  function gravity(row) {
    if (row.gravity === true) return el("span", { "class": "yes" }, t("card.gravity_yes"));
    if (row.gravity === false) return el("span", { "class": "no" }, t("card.gravity_no"));
    return el("span", { "class": "muted" }, t("unknown"));
  }

  /** Point at a candidate's manhole; where the manhole has no place, at the candidate itself. */
  function point(row) {
    Mapapp.api.get("/features/manholes/" + encodeURIComponent(row.manhole_id) + Mapapp.state.query()).then(
      function (manhole) {
        Mapapp.maplayer.flash(manhole.at || row._at);
      },
      function () {
        Mapapp.maplayer.flash(row._at);
      }
    );
  }

  function candidateTable(feature) {
    var rows = feature.candidates || [];
    if (!rows.length) return null;
    var money = rows.some(function (row) {
      return !Mapapp.format.missing(row.cost);
    });
    return el(
      "section",
      {},
      el("h3", {}, t("card.candidates")),
      el(
        "div",
        { "class": "scroll" },
        el(
          "table",
          { "class": "grid tight" },
          el(
            "thead",
            {},
            el(
              "tr",
              {},
              el("th", { scope: "col" }, t("card.inlet")),
              el("th", { scope: "col", "class": "num" }, t("card.length")),
              el("th", { scope: "col", "class": "num", title: t("card.fall_why") }, t("card.fall")),
              el("th", { scope: "col" }, t("card.gravity")),
              money ? el("th", { scope: "col", "class": "num" }, t("card.cost")) : null
            )
          ),
          el(
            "tbody",
            {},
            rows.slice(0, 5).map(function (row) {
              return el(
                "tr",
                {},
                el(
                  "th",
                  { scope: "row" },
                  row._at
                    ? el(
                        "button",
                        {
                          type: "button",
                          "class": "link",
                          on: {
                            click: function () {
                              point(row);
                            }
                          }
                        },
                        row.manhole_id
                      )
                    : row.manhole_id || t("unknown_short")
                ),
                el("td", { "class": "num" }, Mapapp.format.words("length_m", row.length_m)),
                el(
                  "td",
                  { "class": "num", title: row.fall_basis === "ground" ? t("card.fall_guess") : null },
                  (row.fall_basis === "ground" ? "≈ " : "") +
                    Mapapp.format.number(row.available_fall_m, 2) + " / " + Mapapp.format.number(row.required_fall_m, 2)
                ),
                el("td", {}, gravity(row)),
                money ? el("td", { "class": "num" }, Mapapp.format.words("money_yuan", row.cost)) : null
              );
            })
          )
        )
      )
    );
  }

  /* What else hangs on a compound: planned link, open problems. */
  function linkList(feature) {
    var rows = feature.links || [];
    if (!rows.length) return null;
    return el(
      "section",
      {},
      el("h3", {}, t("card.links")),
      el(
        "ul",
        {},
        rows.map(function (row) {
          return el(
            "li",
            {},
            t(Mapapp.format.missing(row.cost) ? "card.link_uncosted" : "card.link", {
              length: Mapapp.format.words("length_m", row.length_m),
              dn: Mapapp.format.number(row.diameter_mm),
              cost: Mapapp.format.words("money_yuan", row.cost)
            }),
            row.pump === true ? el("span", { "class": "no" }, " ", t("card.gravity_no")) : null
          );
        })
      )
    );
  }

  /* Photos that a unit's link shows: each opens in a tab of its own. */
  function photoRow(list) {
    if (!list || !list.length) return null;
    return el(
      "span",
      { "class": "photo-row" },
      list.map(function (photo) {
        var url = Mapapp.config.base + "/photos/" + encodeURIComponent(photo.photo_id);
        var words = t("card.photo", {
          stage: t("card.photo." + photo.stage),
          day: photo.taken_on ? Mapapp.format.date(photo.taken_on) : ""
        });
        return el(
          "a",
          { href: url, target: "_blank", rel: "noopener" },
          el("img", { src: url, alt: words.trim(), title: words.trim(), loading: "lazy" })
        );
      })
    );
  }

  function photoSection(feature) {
    var row = photoRow(feature.photos);
    return row ? el("section", {}, row) : null;
  }

  function problemList(feature) {
    var rows = feature.problems || [];
    if (!rows.length) return null;
    return el(
      "section",
      {},
      el("h3", {}, t("card.problems", { n: rows.length })),
      el(
        "ul",
        { "class": "evidence plain" },
        rows.map(function (row) {
          var said = row._labels || {};
          return el(
            "li",
            {},
            row.description || said.category || row.category || row.ticket_id,
            said.status ? el("span", { "class": "muted" }, " · ", said.status) : null,
            row.due ? el("span", { "class": "muted" }, " · ", Mapapp.format.date(row.due)) : null,
            photoRow(row.photos)
          );
        })
      )
    );
  }

  function show(item) {
    var value = item.value;
    if (Mapapp.format.missing(value)) return el("span", { "class": "muted" }, t("unknown"));
    if (item.name === "floor_area_m2") return Mapapp.format.words("area_m2", value);
    if (item.unit === "万元") return Mapapp.format.words("money_wan", value);
    if (/^(true|false)$/i.test(String(value))) return t(/^t/i.test(String(value)) ? "yes" : "no");
    if (item.text && item.text !== String(value)) return item.text;
    if (item.kind === "list")
      return String(value)
        .split(";")
        .join(Mapapp.lang === "en" ? ", " : "、");
    if (/^\d{4}-\d{2}(-\d{2})?$/.test(String(value))) return Mapapp.format.date(value);
    if (typeof value === "number") {
      var plain = /year|_id$|_no$/.test(item.name) ? String(value) : Mapapp.format.number(value, 3);
      var unit = Mapapp.format.unit(item.unit);
      return unit ? plain + " " + unit : plain;
    }
    return String(value);
  }

  function attributeList(feature, options) {
    var items = (feature.attributes || []).filter(function (item) {
      return (
        !Mapapp.format.missing(item.value) &&
        item.name !== "name" &&
        ["verdict", "evidence", "rules", "letter"].indexOf(item.name) < 0
      );
    });
    if (!items.length) return null;
    var list = el(
      "dl",
      { "class": "attributes" },
      items.map(function (item) {
        return el("div", {}, el("dt", {}, item.label || item.name), el("dd", {}, show(item)));
      })
    );
    if (options && options.open) return el("section", {}, el("h3", {}, t("card.attributes")), list);
    return el(
      "details",
      { "class": "all", open: feature.layer !== "compounds" },
      el("summary", {}, t("card.attributes")),
      list
    );
  }

  Mapapp.about = {
    heading: heading,
    layerOf: layerOf,
    verdictBox: verdictBox,
    lines: lines,
    evidenceList: evidenceList,
    point: point,
    candidateTable: candidateTable,
    linkList: linkList,
    problemList: problemList,
    photoSection: photoSection,
    attributeList: attributeList
  };
})();
