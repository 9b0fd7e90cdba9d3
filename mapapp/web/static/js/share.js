/* This script makes a share of exactly the view on the screen, and shows the link, its QR code and its end with hour and zone. */
(function () {
  "use strict";
  var Mapapp = window.Mapapp = window.Mapapp || {};
  var el = Mapapp.dom.el, t = Mapapp.t;

  function two(n) { return (n < 10 ? "0" : "") + n; }

  function localInput(date) {
    return date.getFullYear() + "-" + two(date.getMonth() + 1) + "-" + two(date.getDate()) + "T" + two(date.getHours()) + ":" + two(date.getMinutes());
  }

  function field(label, control, hint) {
    return el("label", { "class": "field" }, el("span", {}, label), control, hint ? el("small", { "class": "muted" }, hint) : null);
  }

  function radio(name, value, label, hint, checked, change) {
    return el("label", { "class": "radio" }, el("input", { type: "radio", name: name, value: value, checked: checked, on: { change: change } }), el("span", {}, el("b", {}, label), el("small", { "class": "muted" }, hint)));
  }

  function open() {
    var view = Mapapp.view;
    if (!view) return;
    var kind = "public", shown = Mapapp.legend.shown();
    var expires = new Date(Date.now() + 14 * 86400000);
    expires.setSeconds(0, 0);
    var layerBox = el("fieldset", { "class": "pick" }), columnBox = el("fieldset", { "class": "pick" });
    var form = el("form", { "class": "dialog-body share-form", on: { submit: submit } });
    var until = el("input", { type: "datetime-local", id: "share-until", required: true, value: localInput(expires) });
    var zone = el("small", { "class": "muted", id: "share-zone" });
    var live = el("select", { id: "share-live" }, el("option", { value: "snapshot" }, t("share.snapshot")), el("option", { value: "live" }, t("share.live")));
    var title = el("input", { type: "text", id: "share-title", maxlength: 120, value: view.title || view.county || "" });
    var recipient = el("input", { type: "text", id: "share-recipient", maxlength: 80, placeholder: t("share.recipient_hint") });
    var code = el("input", { type: "text", id: "share-code", minlength: 4, maxlength: 64, autocomplete: "off" });
    var embed = el("input", { type: "checkbox", id: "share-embed" });
    var message = el("p", { "class": "notice error", role: "alert", hidden: true });
    var words = Mapapp.filters.words();

    function allowed() {
      var offer = (view.shares && view.shares[kind]) || {};
      return offer;
    }

    function drawPicks() {
      var offer = allowed();
      var names = view.layers.filter(function (layer) { return !offer.layers || offer.layers.indexOf(layer.name) >= 0; });
      Mapapp.dom.fill(layerBox, el("legend", { "class": "label" }, t("share.layers")), names.map(function (layer) {
        return el("label", { "class": "check" }, el("input", { type: "checkbox", name: "layer", value: layer.name, checked: shown.indexOf(layer.name) >= 0 || layer.name === "compounds" }), layer.title);
      }), names.length < view.layers.length ? el("small", { "class": "muted" }, t("share.never")) : null);
      var compounds = view.layers.filter(function (layer) { return layer.name === "compounds"; })[0];
      var columns = ((compounds && compounds.columns) || []).filter(function (column) { return !offer.columns || offer.columns.indexOf(column.name) >= 0; });
      var usual = offer.defaults || offer.columns || ["name", "street", "status", "programme_year", "households", "floor_area_m2", "buildings"];
      Mapapp.dom.fill(columnBox, el("legend", { "class": "label" }, t("share.columns")), columns.map(function (column) {
        var fixed = column.name === "name" || column.name === "compound_id";
        return el("label", { "class": "check" }, el("input", { type: "checkbox", name: "column", value: column.name, checked: fixed || usual.indexOf(column.name) >= 0, disabled: fixed }), column.label);
      }));
    }

    function tellZone() {
      var date = new Date(until.value);
      zone.textContent = isNaN(date.getTime()) ? "" : t("share.until_is", { at: Mapapp.format.instant(date) });
    }
    until.addEventListener("input", tellZone);
    function pickKind(event) { kind = event.target.value; drawPicks(); }

    function picked(name) {
      return Array.prototype.filter.call(form.querySelectorAll("input[name=" + name + "]"), function (node) { return node.checked; }).map(function (node) { return node.value; });
    }

    function submit(event) {
      event.preventDefault();
      var date = new Date(until.value), state = Mapapp.state.get(), send = form.querySelector("[type=submit]");
      message.hidden = true;
      if (isNaN(date.getTime()) || date <= new Date()) { fail({ message: t("share.past") }); return; }
      send.disabled = true;
      send.textContent = t("share.making");
      Mapapp.api.post("/shares", {
        kind: kind, title: title.value.trim(), layers: picked("layer"), columns: picked("column"), filters: state.f, at: state.at,
        live: live.value === "live", snapshot: live.value === "live" ? null : state.as, expires_at: date.toISOString(),
        pass_code: code.value || null, recipient: recipient.value.trim() || null, embeddable: embed.checked
      }).then(result, fail);
    }

    function fail(error) {
      message.textContent = error.message;
      message.hidden = false;
      var send = form.querySelector("[type=submit]");
      send.disabled = false;
      send.textContent = t("share.make");
    }

    function result(made) {
      var share = made.share || made;
      var link = new URL(made.url || share.url, window.location.href).href;
      var qr = made.qr || share.qr;
      var box = el("input", { type: "text", "class": "input", id: "share-link", readonly: true, value: link, "aria-label": t("share.link"), on: { focus: function (event) { event.target.select(); } } });
      var frame = '<iframe src="' + link + '" width="800" height="600" title="' + (share.title || "").replace(/[&"<>]/g, function (c) { return "&#" + c.charCodeAt(0) + ";"; }) + '" referrerpolicy="no-referrer"></iframe>';
      Mapapp.dom.fill(form.parentNode.querySelector(".dialog-body"),
        el("p", { "class": "notice success" }, t("share.done")),
        el("div", { "class": "share-result" }, qr ? el("img", { "class": "qr", alt: t("share.qr"), src: /^data:/.test(qr) ? qr : qr.charAt(0) === "<" ? "data:image/svg+xml;charset=utf-8," + encodeURIComponent(qr) : qr }) : null,
          el("div", { "class": "share-lines" }, el("div", { "class": "row nowrap" }, box, el("button", { type: "button", "class": "button primary", id: "share-copy", on: { click: function () { copy(box); } } }, Mapapp.dom.icon("copy"), t("share.copy"))),
            el("p", {}, t("share.until_is", { at: Mapapp.format.instant(share.expires_at || until.value) })),
            code.value ? el("p", {}, t("share.code_apart")) : null,
            el("p", {}, el("a", { href: link, target: "_blank", rel: "noopener" }, t("share.look")), " · ", el("a", { href: "/shares" }, t("share.list"))))),
        embed.checked ? field(t("share.embed_code"), el("textarea", { rows: 3, readonly: true, value: frame })) : null);
      box.focus();
    }

    function copy(box) {
      var done = function () { Mapapp.dom.toast(t("share.copied"), "success"); };
      var old = function () { box.select(); if (document.execCommand("copy")) done(); };
      if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(box.value).then(done, old); else old();
    }

    drawPicks();
    tellZone();
    Mapapp.dom.append(form, [
      el("p", { "class": "muted" }, t("share.what"), words.length ? words.map(function (item) { return el("span", { "class": "tag still" }, item.label, Mapapp.lang === "en" ? ": " : "：", item.text); }) : t("share.everything")),
      el("fieldset", { "class": "kinds" }, el("legend", { "class": "label" }, t("share.kind")),
        radio("kind", "public", t("share.public"), t("share.public_hint"), true, pickKind), radio("kind", "unit", t("share.unit"), t("share.unit_hint"), false, pickKind)),
      el("div", { "class": "two" }, layerBox, columnBox),
      el("div", { "class": "two" }, field(t("share.title"), title), field(t("share.state"), live, t("share.state_hint"))),
      el("div", { "class": "two" }, el("label", { "class": "field" }, el("span", {}, t("share.until")), until, zone), field(t("share.recipient"), recipient, t("share.recipient_why"))),
      el("div", { "class": "two" }, field(t("share.code"), code, t("share.code_hint")), el("label", { "class": "check low" }, embed, t("share.embed"))),
      message,
      el("div", { "class": "row end" }, el("button", { type: "submit", "class": "button primary" }, t("share.make")))
    ]);
    Mapapp.dom.dialog(t("share.heading"), form, { "class": "wide" });
  }

  Mapapp.share = { open: open };
})();
