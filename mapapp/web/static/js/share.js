/* This script makes a share of exactly the view on the screen, and shows the link, its QR code and its end with hour and zone. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;

  function two(n) {
    return (n < 10 ? "0" : "") + n;
  }

  function localInput(date) {
    return (
      date.getFullYear() +
      "-" +
      two(date.getMonth() + 1) +
      "-" +
      two(date.getDate()) +
      "T" +
      two(date.getHours()) +
      ":" +
      two(date.getMinutes())
    );
  }

  /* The hour as its maker wrote it, with their zone: it is shown so to everybody from then on. */
  function withZone(date) {
    var minutes = -date.getTimezoneOffset(),
      away = Math.abs(minutes);
    return (
      localInput(date) + ":00" + (minutes < 0 ? "-" : "+") + two(Math.floor(away / 60)) + ":" + two(away % 60)
    );
  }

  function field(label, control, hint) {
    return el(
      "label",
      { "class": "field" },
      el("span", {}, label),
      control,
      hint ? el("small", { "class": "muted" }, hint) : null
    );
  }

  function radio(value, label, hint, checked, change) {
    return el(
      "label",
      { "class": "radio" },
      el("input", { type: "radio", name: "kind", value: value, checked: checked, on: { change: change } }),
      el("span", {}, el("b", {}, label), el("small", { "class": "muted" }, hint))
    );
  }

  function tick(name, value, label, checked, fixed, change) {
    return el(
      "label",
      { "class": "check" },
      el("input", {
        type: "checkbox",
        name: name,
        value: value,
        checked: checked,
        disabled: fixed,
        on: change ? { change: change } : {}
      }),
      label
    );
  }

  /** Open the dialog; `wanted` is the kind of link that is ticked at first, public without it. */
  function open(wanted) {
    var view = Mapapp.view;
    if (!view) return;
    var kind = wanted || "public",
      shown = Mapapp.legend.shown(),
      words = Mapapp.filters.words();
    var form = el("form", { "class": "dialog-body share-form", on: { submit: submit } });
    var layerBox = el("fieldset", { "class": "pick" }),
      columnBox = el("fieldset", { "class": "pick" }),
      unitBox = el("fieldset", { hidden: true });
    var until = el("input", {
      type: "datetime-local",
      id: "share-until",
      required: true,
      value: localInput(new Date(Date.now() + 14 * 86400000))
    });
    var zone = el("small", { "class": "muted", id: "share-zone" });
    var moment = el(
      "select",
      { id: "share-live" },
      el("option", { value: "snapshot" }, t("share.snapshot")),
      el("option", { value: "live" }, t("share.live"))
    );
    var title = el("input", { type: "text", id: "share-title", maxlength: 80, value: view.title || view.county || "" });
    var recipient = el("input", {
      type: "text",
      id: "share-recipient",
      maxlength: 80,
      placeholder: t("share.recipient_hint")
    });
    var unit = el("input", { type: "text", id: "share-unit", maxlength: 80, list: "share-units" });
    var code = el("input", { type: "text", id: "share-code", minlength: 4, maxlength: 64, autocomplete: "off" });
    var embed = el("input", { type: "text", id: "share-embed", placeholder: "https://www.example.gov.cn" });
    var anywhere = el("input", {
      type: "checkbox",
      id: "share-anywhere",
      on: {
        change: function () {
          embed.disabled = anywhere.checked;
        }
      }
    });
    var message = el("p", { "class": "notice error", role: "alert", hidden: true });

    function offer() {
      return (
        (view.shares && view.shares[kind]) || {
          layers: view.layers.map(function (layer) {
            return layer.name;
          }),
          columns: [],
          defaults: []
        }
      );
    }

    function pickKind(event) {
      kind = event.target.value;
      asKind();
    }

    function asKind() {
      unitBox.hidden = kind !== "unit";
      code.required = kind === "unit";
      form.querySelector("#share-code").closest("label").firstChild.textContent = t(
        kind === "unit" ? "share.code_needed" : "share.code"
      );
      unit.required = kind === "unit";
      drawPicks();
    }

    function drawPicks() {
      var may = offer();
      var names = view.layers.filter(function (layer) {
        return may.layers.indexOf(layer.name) >= 0;
      });
      Mapapp.dom.fill(
        layerBox,
        el("legend", { "class": "label" }, t("share.layers")),
        names.map(function (layer) {
          return tick("layer", layer.name, layer.title, shown.indexOf(layer.name) >= 0 || layer.name === "compounds");
        }),
        names.length < view.layers.length ? el("small", { "class": "muted" }, t("share.never")) : null
      );
      var compounds = view.layers.filter(function (layer) {
        return layer.name === "compounds";
      })[0] || { columns: [] };
      Mapapp.dom.fill(
        columnBox,
        el("legend", { "class": "label" }, t("share.columns")),
        compounds.columns
          .filter(function (column) {
            return may.columns.indexOf(column.name) >= 0 && ["letter", "compound_id"].indexOf(column.name) < 0;
          })
          .map(function (column) {
            var fixed = column.name === "name";
            return tick("column", column.name, column.label, fixed || may.defaults.indexOf(column.name) >= 0, fixed);
          })
      );
    }

    /* Descriptions and photos are those of problems: who ticks them wants that layer too. */
    function withProblems(event) {
      var layer = form.querySelector("input[name=layer][value=problems]");
      if (event.target.checked && layer) layer.checked = true;
    }

    function tellZone() {
      var date = new Date(until.value);
      zone.textContent = isNaN(date.getTime()) ? "" : t("share.until_is", { at: Mapapp.format.instant(date) });
    }

    function picked(name) {
      return Array.prototype.filter
        .call(form.querySelectorAll("input[name=" + name + "]"), function (node) {
          return node.checked;
        })
        .map(function (node) {
          return node.value;
        });
    }

    function submit(event) {
      event.preventDefault();
      var date = new Date(until.value),
        state = Mapapp.state.get(),
        send = form.querySelector("[type=submit]");
      var layers = picked("layer"),
        columns = picked("column"),
        extra = picked("extra");
      var has = function (list, wanted) {
        return wanted.some(function (name) {
          return list.indexOf(name) >= 0;
        });
      };
      message.hidden = true;
      if (isNaN(date.getTime()) || date <= new Date()) {
        fail({ message: t("share.past") });
        return;
      }
      send.disabled = true;
      send.textContent = t("share.making");
      Mapapp.api
        .post("/shares", {
          kind: kind,
          title: title.value.trim(),
          layers: layers,
          filters: state.f, // those of a layer go with their layer
          columns: { compounds: columns.concat("compound_id", "letter") },
          place: state.at ? state.at.z + "/" + state.at.lat + "/" + state.at.lon : "",
          live: moment.value === "live",
          snapshot: moment.value === "live" ? null : state.as,
          expires_at: withZone(date),
          code: code.value,
          recipient: recipient.value.trim() || (kind === "unit" ? unit.value.trim() : ""),
          unit: kind === "unit" ? unit.value.trim() : "",
          embed: anywhere.checked ? [] : embed.value.split(/[\s,;]+/).filter(Boolean),
          embeddable: anywhere.checked,
          investment: columns.some(function (name) {
            return /^(invest|fund)_/.test(name);
          }),
          gaps: has(columns, ["sewer_pending", "verdict"]) || has(layers, ["findings", "verdicts", "links"]),
          levels: kind === "unit" && has(extra, ["levels"]),
          descriptions: kind === "unit" && has(extra, ["descriptions"]),
          photos: kind === "unit" && has(extra, ["photos"]),
          download: kind === "unit" && has(extra, ["download"])
        })
        .then(result, fail);
    }

    function fail(error) {
      message.textContent = error.message;
      message.hidden = false;
      message.scrollIntoView({ block: "nearest" });
      var send = form.querySelector("[type=submit]");
      send.disabled = false;
      send.textContent = t("share.make");
    }

    function result(made) {
      var link = new URL(made.url, window.location.href).href,
        qr = made.qr;
      var box = el("input", {
        type: "text",
        "class": "input",
        id: "share-link",
        readonly: true,
        value: link,
        "aria-label": t("share.link"),
        on: {
          focus: function (event) {
            event.target.select();
          }
        }
      });
      Mapapp.dom.fill(
        form,
        el("p", { "class": "notice success", role: "status" }, t("share.done")),
        (made.left_out || []).concat(made.only_here || []).map(function (line) {
          return el("p", { "class": "notice warning" }, line);
        }),
        el(
          "div",
          { "class": "share-result" },
          qr
            ? el("img", {
                "class": "qr",
                alt: t("share.qr"),
                src: qr.charAt(0) === "<" ? "data:image/svg+xml;charset=utf-8," + encodeURIComponent(qr) : qr
              })
            : null,
          el(
            "div",
            { "class": "share-lines" },
            el(
              "div",
              { "class": "row nowrap" },
              box,
              el(
                "button",
                {
                  type: "button",
                  "class": "button primary",
                  id: "share-copy",
                  on: {
                    click: function () {
                      copy(box);
                    }
                  }
                },
                Mapapp.dom.icon("copy"),
                t("share.copy")
              )
            ),
            el(
              "p",
              {},
              el("b", {}, t("share.until_is", { at: Mapapp.format.instant(made.expires_at || until.value) }))
            ),
            code.value ? el("p", {}, t("share.code_apart")) : null,
            el(
              "p",
              {},
              el("a", { href: link, target: "_blank", rel: "noopener" }, t("share.look")),
              " · ",
              el("a", { href: "/shares" }, t("share.list"))
            )
          )
        ),
        made.embed && (embed.value || anywhere.checked)
          ? field(
              t("share.embed_code"),
              el("textarea", { rows: 3, id: "share-embed-code", readonly: true, value: made.embed })
            )
          : null
      );
      box.focus();
    }

    function copy(box) {
      var done = function () {
        Mapapp.dom.toast(t("share.copied"), "success");
      };
      var old = function () {
        box.select();
        if (document.execCommand("copy")) done();
      };
      if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(box.value).then(done, old);
      else old();
    }

    until.addEventListener("input", tellZone);
    tellZone();
    var units = (
      view.filters.filter(function (item) {
        return item.column === "unit";
      })[0] || { values: [] }
    ).values;
    Mapapp.dom.append(unitBox, [
      el(
        "div",
        { "class": "two" },
        el(
          "div",
          {},
          field(t("share.unit_name"), unit, t("share.unit_why")),
          el(
            "datalist",
            { id: "share-units" },
            units.map(function (item) {
              return el("option", { value: item.value });
            })
          )
        ),
        el(
          "div",
          {},
          tick("extra", "levels", t("share.levels"), false),
          tick("extra", "descriptions", t("share.descriptions"), false, false, withProblems),
          tick("extra", "photos", t("share.photos"), false, false, withProblems),
          tick("extra", "download", t("share.download"), false)
        )
      )
    ]);
    Mapapp.dom.append(form, [
      el(
        "p",
        { "class": "muted" },
        t("share.what"),
        words.length
          ? words.map(function (item) {
              return el("span", { "class": "tag still" }, item.label, Mapapp.lang === "en" ? ": " : "：", item.text);
            })
          : t("share.everything")
      ),
      el(
        "fieldset",
        { "class": "kinds" },
        el("legend", { "class": "label" }, t("share.kind")),
        radio("public", t("share.public"), t("share.public_hint"), kind === "public", pickKind),
        radio("unit", t("share.unit"), t("share.unit_hint"), kind === "unit", pickKind)
      ),
      unitBox,
      el("div", { "class": "two" }, layerBox, columnBox),
      el(
        "div",
        { "class": "two" },
        el("label", { "class": "field" }, el("span", {}, t("share.until")), until, zone),
        field(t("share.state"), moment, t("share.state_hint"))
      ),
      el(
        "div",
        { "class": "two" },
        field(t("share.recipient"), recipient, t("share.recipient_why")),
        field(t("share.code"), code, t("share.code_hint"))
      ),
      el(
        "div",
        { "class": "two" },
        field(t("share.title"), title),
        el(
          "div",
          {},
          field(t("share.embed"), embed, t("share.embed_hint")),
          el("label", { "class": "check" }, anywhere, t("share.embed_anywhere"))
        )
      ),
      message,
      el(
        "div",
        { "class": "row end" },
        el("button", { type: "submit", "class": "button primary", id: "share-make" }, t("share.make"))
      )
    ]);
    asKind();
    Mapapp.dom.dialog(t("share.heading"), form);
  }

  Mapapp.share = { open: open };
})();
