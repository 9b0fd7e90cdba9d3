/* This script lets a ledger be dropped anywhere on its field and shows that work goes on; the page works without it. */
(function () {
  "use strict";
  var form = document.getElementById("ledger-form");
  if (!form) return;
  var drop = form.querySelector(".drop"), input = form.querySelector("input[type=file]"), button = form.querySelector("button");
  form.addEventListener("submit", function () {
    // not disabled at once: a disabled button would not be sent, and Back must find it usable
    window.setTimeout(function () { button.setAttribute("aria-disabled", "true"); form.setAttribute("aria-busy", "true"); }, 0);
  });
  window.addEventListener("pageshow", function () { button.removeAttribute("aria-disabled"); form.removeAttribute("aria-busy"); });
  if (!drop || !input) return;
  ["dragenter", "dragover"].forEach(function (type) {
    drop.addEventListener(type, function (event) { event.preventDefault(); drop.classList.add("over"); });
  });
  ["dragleave", "drop"].forEach(function (type) {
    drop.addEventListener(type, function (event) { event.preventDefault(); drop.classList.remove("over"); });
  });
  drop.addEventListener("drop", function (event) {
    if (event.dataTransfer && event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
  var preview = document.getElementById("preview");
  if (preview) preview.scrollIntoView({ block: "nearest" });
})();
