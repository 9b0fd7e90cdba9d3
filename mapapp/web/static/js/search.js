/* This script finds a compound, street or gap by name: a combobox after the ARIA pattern, arrow keys, Enter, Esc. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var results = [],
    at = -1,
    timer = 0;
  var input, list;

  function build() {
    var root = document.getElementById("search");
    input = el("input", {
      type: "search",
      id: "search-input",
      "class": "input",
      placeholder: t("search.hint"),
      "aria-label": t("search.label"),
      autocomplete: "off",
      spellcheck: "false",
      role: "combobox",
      "aria-expanded": "false",
      "aria-controls": "search-list",
      "aria-autocomplete": "list",
      on: {
        input: later,
        keydown: key,
        focus: function () {
          if (results.length) unfold(true);
        },
        blur: function () {
          window.setTimeout(function () {
            unfold(false);
          }, 200);
        }
      }
    });
    list = el("ul", { id: "search-list", role: "listbox", "aria-label": t("search.results"), hidden: true });
    Mapapp.dom.fill(root, Mapapp.dom.icon("search"), input, list);
  }

  function later() {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, 150);
  }

  function ask() {
    var text = input.value.trim();
    if (!text) {
      results = [];
      unfold(false);
      return;
    }
    Mapapp.api.get("/search" + Mapapp.state.query({ q: text }), "search").then(
      function (answer) {
        results = answer.results || [];
        at = -1;
        draw(text);
      },
      function (error) {
        if (Mapapp.api.aborted(error)) return;
        results = [];
        Mapapp.dom.fill(list, el("li", { "class": "empty" }, error.message));
        unfold(true);
      }
    );
  }

  function draw(text) {
    Mapapp.dom.fill(
      list,
      results.length
        ? results.map(function (item, i) {
            return el(
              "li",
              {
                id: "hit-" + i,
                role: "option",
                "aria-selected": String(i === at),
                "class": i === at ? "at" : null,
                on: {
                  mousedown: function (event) {
                    event.preventDefault();
                    choose(i);
                  }
                }
              },
              el("span", { "class": "hit" }, item.title || item.id),
              el("span", { "class": "muted small" }, item.subtitle || "")
            );
          })
        : el("li", { "class": "empty" }, t("search.none", { q: text }))
    );
    if (at >= 0) input.setAttribute("aria-activedescendant", "hit-" + at);
    else input.removeAttribute("aria-activedescendant");
    unfold(true);
    if (!results.length) Mapapp.dom.say(t("search.none", { q: text }));
  }

  function unfold(open) {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
  }

  function key(event) {
    if (event.isComposing) return; // an input method is still choosing characters
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!results.length) return;
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + results.length) % results.length;
      draw(input.value.trim());
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (results.length) choose(at < 0 ? 0 : at);
      else ask();
    } else if (event.key === "Escape") {
      if (!list.hidden) {
        event.stopPropagation();
        unfold(false);
      } else input.value = "";
    }
  }

  function choose(i) {
    var item = results[i];
    unfold(false);
    input.value = item.title || item.id;
    input.blur();
    if (item.at) Mapapp.maplayer.go(item.at);
    if (["problems"].indexOf(item.layer) < 0) Mapapp.app.select(item.layer, String(item.id), { fly: true });
  }

  Mapapp.search = { build: build };
})();
