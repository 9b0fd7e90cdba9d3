/* This script fetches papers in place: it says that one is being made, and where a request is wrong it says so beside the form. */
(function () {
  "use strict";
  var Mapapp = window.Mapapp = window.Mapapp || {};
  var t = Mapapp.t;

  function nameOf(response) {
    var told = response.headers.get("Content-Disposition") || "";
    var wide = /filename\*=UTF-8''([^;]+)/i.exec(told), plain = /filename="?([^";]+)"?/i.exec(told);
    return wide ? decodeURIComponent(wide[1]) : plain ? plain[1] : "mapapp";
  }

  function fetchFile(url, button, fault) {
    var words = button.textContent;
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    button.textContent = t("report.making");
    if (fault) fault.hidden = true;
    window.fetch(url, { credentials: "same-origin", headers: { Accept: "application/json, */*;q=0.1" } }).then(function (response) {
      if (response.ok) return response.blob().then(function (blob) { hand(blob, nameOf(response)); Mapapp.dom.toast(t("report.made")); });
      return response.json().then(function (body) { throw new Error(body.error); }, function () { throw new Error(t("error.server")); });
    }).catch(function (error) {
      if (!fault) { Mapapp.dom.toast(error.message || t("error.offline"), "error"); return; }
      fault.textContent = error.message || t("error.offline");
      fault.hidden = false;
    }).then(function () { button.removeAttribute("aria-disabled"); button.textContent = words; });
  }

  function hand(blob, name) {
    var link = Mapapp.dom.el("a", { href: URL.createObjectURL(blob), download: name });
    document.body.appendChild(link);
    link.click();
    document.body.removeChild(link);
    window.setTimeout(function () { URL.revokeObjectURL(link.href); }, 60000);
  }

  function start() {
    Array.prototype.forEach.call(document.querySelectorAll("a[data-download]"), function (link) {
      link.addEventListener("click", function (event) { event.preventDefault(); fetchFile(link.href, link, null); });
    });
    var form = document.getElementById("sheet-form");
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var button = event.submitter || form.querySelector("button");
      var query = new URLSearchParams(new FormData(form)).toString();
      fetchFile((button.getAttribute("formaction") || form.action) + "?" + query, button, document.getElementById("sheet-fault"));
    });
    document.getElementById("choose").addEventListener("change", function (event) { event.currentTarget.submit(); });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
