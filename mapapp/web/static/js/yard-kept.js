/* This script keeps the yard page on the phone for when there is no signal, and forgets it when asked. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var t = Mapapp.t,
    drafts = Mapapp.drafts,
    yard = Mapapp.yard;

  function tell(message) {
    return navigator.serviceWorker.ready.then(function (found) {
      return new Promise(function (resolve) {
        var channel = new MessageChannel();
        channel.port1.onmessage = resolve;
        found.active.postMessage(message, [channel.port2]);
      });
    });
  }

  /** Keep this page for when there is no signal; the page is marked when that is done. */
  function keep() {
    if (!("serviceWorker" in navigator)) return;
    var own = Array.prototype.map.call(
      document.querySelectorAll("script[src], link[rel=stylesheet], link[rel=icon]"),
      function (node) {
        return node.getAttribute("src") || node.getAttribute("href");
      }
    );
    navigator.serviceWorker
      .register(Mapapp.dom.block("config").worker, { scope: "/yard" })
      .then(function () {
        return tell({ keep: ["/yard", "/api/yard"].concat(own) });
      })
      .then(
        function () {
          document.body.setAttribute("data-kept", "yes");
        },
        function () {
          /* works as long as there is signal */
        }
      );
  }

  function forget() {
    if (!window.confirm(t("yard.forget_ask"))) return;
    drafts
      .clear()
      .then(function () {
        return "serviceWorker" in navigator ? tell({ forget: true }) : null;
      })
      .then(function () {
        Mapapp.dom.toast(t("yard.forgotten"));
        yard.refresh();
      });
  }

  yard.keep = keep;
  yard.forget = forget;
})();
