/* This script makes elements. Data reaches the page through text nodes and properties only, never as markup. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var SVG = "http://www.w3.org/2000/svg";

  /** el("button", {class, on: {click}, aria-label, …}, child, "text", [more]) -> HTMLElement. Null children are left out. */
  function el(tag, props) {
    var node = document.createElement(tag);
    set(node, props || {});
    append(node, Array.prototype.slice.call(arguments, 2));
    return node;
  }

  function set(node, props) {
    Object.keys(props).forEach(function (key) {
      var value = props[key];
      if (value === null || value === undefined || value === false) return;
      if (key === "on")
        Object.keys(value).forEach(function (type) {
          node.addEventListener(type, value[type]);
        });
      else if (key === "css")
        Object.keys(value).forEach(function (name) {
          node.style.setProperty(name, value[name]);
        });
      else if (key === "value" || key === "checked" || key === "selected" || key === "disabled") node[key] = value;
      else node.setAttribute(key, value === true ? "" : value);
    });
  }

  function append(node, children) {
    children.forEach(function (child) {
      if (child === null || child === undefined || child === false) return;
      if (Array.isArray(child)) append(node, child);
      else node.appendChild(child.nodeType ? child : document.createTextNode(String(child)));
    });
    return node;
  }

  function clear(node) {
    while (node.firstChild) node.removeChild(node.firstChild);
    return node;
  }

  function fill(node) {
    return append(clear(node), Array.prototype.slice.call(arguments, 1));
  }

  function svg(tag, attributes) {
    var node = document.createElementNS(SVG, tag);
    Object.keys(attributes || {}).forEach(function (key) {
      node.setAttribute(key, attributes[key]);
    });
    return append(node, Array.prototype.slice.call(arguments, 2));
  }

  var PATHS = {
    search: "M8.5 3.5a5 5 0 1 1 0 10 5 5 0 0 1 0-10zM12.2 12.2 16.5 16.5",
    share: "M10 12.5V3M6.5 6 10 2.8 13.5 6M4.5 10v6.5h11V10",
    print: "M6 7V3h8v4M6 14H3.5V7h13v7H14M6 11.5h8V17H6z",
    close: "M5 5l10 10M15 5 5 15",
    locate: "M10 2v3M10 15v3M2 10h3M15 10h3M10 5a5 5 0 1 1 0 10 5 5 0 0 1 0-10zM10 9.5v1",
    measure: "M2.5 13.5 13.5 2.5l4 4-11 11zM6 10l1.7 1.7M8.5 7.5l2.5 2.5M11 5l1.7 1.7",
    full: "M3 7.5V3h4.5M12.5 3H17v4.5M17 12.5V17h-4.5M7.5 17H3v-4.5",
    home: "M3.5 9.5 10 4l6.5 5.5M5.5 8.5V16h9V8.5",
    plus: "M10 4v12M4 10h12",
    minus: "M4 10h12",
    chevron: "M5 7.5 10 12.5 15 7.5",
    copy: "M7 7V3.5h9.5V13H13M3.5 7H13v9.5H3.5z",
    layers: "M10 3 2.5 7 10 11l7.5-4zM2.5 10.5 10 14.5l7.5-4M2.5 13.5 10 17.5l7.5-4",
    table: "M3 4h14v12H3zM3 8h14M3 12h14M8 8v8",
    facts: "M4 16V9M8 16V4M12 16v-5M16 16V7",
    check: "M4 10.5 8 14.5 16 5.5",
    warn: "M10 3 1.8 16.5h16.4zM10 8v4M10 14v.6",
    cross: "M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15zM7 7l6 6M13 7l-6 6",
    ask: "M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15zM7.8 8a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M10 13.6v.6",
    open: "M8 4H4v12h12v-4M11 3.5h5.5V9M16 4l-7 7"
  };

  /** One of our own line icons; decorative, the control carries the label. */
  function icon(name) {
    return svg(
      "svg",
      { viewBox: "0 0 20 20", "class": "icon", "aria-hidden": "true", focusable: "false" },
      svg("path", {
        d: PATHS[name] || "",
        fill: "none",
        stroke: "currentColor",
        "stroke-width": "1.6",
        "stroke-linecap": "round",
        "stroke-linejoin": "round"
      })
    );
  }

  /** Say a sentence to screen readers. */
  function say(text) {
    var live = document.getElementById("live");
    if (!live) return;
    live.textContent = "";
    window.setTimeout(function () {
      live.textContent = text;
    }, 50);
  }

  /** Show a short message that goes by itself; errors stay until closed. `offer`: {label, act}, a button that does something about it. Returns what takes it away. */
  function toast(text, kind, offer) {
    var root = document.getElementById("toasts");
    if (!root) return function () {};
    Array.prototype.slice.call(root.children).forEach(function (old) {
      if (old.firstChild.textContent === text) root.removeChild(old); // said again, not twice
    });
    var box = el(
      "div",
      { "class": "toast " + (kind || ""), role: kind === "error" ? "alert" : "status" },
      el("span", {}, text)
    );
    var done = function () {
      if (box.parentNode) root.removeChild(box);
    };
    if (offer)
      box.appendChild(
        el(
          "button",
          {
            "class": "button quiet",
            type: "button",
            on: {
              click: function () {
                done();
                offer.act();
              }
            }
          },
          offer.label
        )
      );
    box.appendChild(
      el(
        "button",
        { "class": "button quiet", type: "button", "aria-label": Mapapp.t("close"), on: { click: done } },
        icon("close")
      )
    );
    root.appendChild(box);
    if (kind !== "error") window.setTimeout(done, 5000);
    return done;
  }

  /** Open a dialog that keeps the focus inside, closes with Esc, and gives the focus back. Returns {box, close}. */
  function dialog(title, body, options) {
    var before = document.activeElement;
    var root = document.getElementById("dialogs");
    var id = "dialog-title";
    var close = function () {
      document.removeEventListener("keydown", keys, true);
      clear(root);
      if (options && options.closed) options.closed();
      if (before && before.focus) before.focus();
    };
    var box = el(
      "div",
      { "class": "dialog", role: "dialog", "aria-modal": "true", "aria-labelledby": id, tabindex: "-1" },
      el(
        "header",
        { "class": "dialog-head" },
        el("h2", { id: id }, title),
        el(
          "button",
          { "class": "button quiet", type: "button", "aria-label": Mapapp.t("close"), on: { click: close } },
          icon("close")
        )
      ),
      body
    );
    function keys(event) {
      if (event.key === "Escape") {
        event.stopPropagation();
        close();
        return;
      }
      if (event.key !== "Tab") return;
      var inside = Array.prototype.filter.call(
        box.querySelectorAll("a[href], button, input, select, textarea"),
        function (node) {
          return !node.disabled && node.offsetParent !== null;
        }
      );
      if (!inside.length) return;
      var first = inside[0],
        last = inside[inside.length - 1];
      if (event.shiftKey && document.activeElement === first) {
        event.preventDefault();
        last.focus();
      } else if (!event.shiftKey && document.activeElement === last) {
        event.preventDefault();
        first.focus();
      }
    }
    fill(
      root,
      el(
        "div",
        {
          "class": "dialog-back",
          on: {
            click: function (event) {
              if (event.target === event.currentTarget) close();
            }
          }
        },
        box
      )
    );
    document.addEventListener("keydown", keys, true);
    var target = box.querySelector("input, select, textarea") || box;
    target.focus();
    return { box: box, close: close };
  }

  /** Read a JSON block of the page; null when it is not there. */
  function block(id) {
    var node = document.getElementById(id);
    return node ? JSON.parse(node.textContent) : null;
  }

  Mapapp.dom = {
    el: el,
    svg: svg,
    set: set,
    append: append,
    clear: clear,
    fill: fill,
    icon: icon,
    say: say,
    toast: toast,
    dialog: dialog,
    block: block
  };
})();
