/* This script spares presses on the list of problems: a chosen filter is applied at once, and unsaved typing is not lost. */
(function () {
  "use strict";

  function filters() {
    var form = document.getElementById("problems-filters");
    if (!form) return;
    form.addEventListener("change", function (event) {
      if (event.target.tagName === "SELECT") form.submit();
    });
  }

  function guard() {
    var form = document.getElementById("problem-form");
    var dirty = false;
    if (!form) return;
    form.addEventListener("input", function () { dirty = true; });
    document.addEventListener("submit", function (event) { if (event.target === form) dirty = false; });
    window.addEventListener("beforeunload", function (event) {
      if (!dirty) return;
      event.preventDefault();
      event.returnValue = "";
    });
  }

  function start() {
    filters();
    guard();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
