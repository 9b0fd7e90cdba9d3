/* This script turns a meeting's problems into slides: one at a time, by keyboard, each decision noted on the spot. */
(function () {
  "use strict";
  var Mapapp = window.Mapapp = window.Mapapp || {};
  var slides = [], at = 0;

  function t(key, values) { return Mapapp.t(key, values); }

  /** Show the i-th problem; its id goes into the address, so that reload and back stay here. */
  function show(i, quiet) {
    if (!slides.length) return;
    at = Math.max(0, Math.min(slides.length - 1, i));
    slides.forEach(function (slide, n) { slide.classList.toggle("here", n === at); });
    document.getElementById("meeting-place").textContent = t("meeting.place", { i: at + 1, n: slides.length });
    document.getElementById("meeting-previous").disabled = at === 0;
    document.getElementById("meeting-next").disabled = at === slides.length - 1;
    if (!quiet) {
      window.history.replaceState(null, "", "#" + encodeURIComponent(slides[at].getAttribute("data-ticket")));
      window.scrollTo(0, 0);
    }
  }

  function typing(target) {
    return /^(TEXTAREA|INPUT|SELECT)$/.test(target.tagName);
  }

  function keys(event) {
    var form = slides[at] && slides[at].querySelector("[data-decision]");
    if (event.key === "Enter" && event.ctrlKey && form) { event.preventDefault(); note(form); return; }
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target) || event.altKey || event.ctrlKey || event.metaKey) return;
    if (["ArrowRight", "PageDown", " ", "n"].indexOf(event.key) >= 0 && event.target.tagName !== "BUTTON" && event.target.tagName !== "SUMMARY") { event.preventDefault(); show(at + 1); }
    else if (["ArrowLeft", "PageUp", "p"].indexOf(event.key) >= 0) { event.preventDefault(); show(at - 1); }
    else if (event.key === "Home") { event.preventDefault(); show(0); }
    else if (event.key === "End") { event.preventDefault(); show(slides.length - 1); }
    else if (event.key === "f" || event.key === "F") { event.preventDefault(); full(); }
    else if ((event.key === "d" || event.key === "D") && form) { event.preventDefault(); form.querySelector("textarea").focus(); }
  }

  function full() {
    var root = document.documentElement;
    if (document.fullscreenElement) document.exitFullscreen();
    else if (root.requestFullscreen) root.requestFullscreen();
  }

  function said(form, words, kind) {
    var place = form.querySelector(".said");
    place.textContent = words;
    place.className = "said " + (kind || "");
  }

  /** Store what was decided; a conflict keeps every typed word and says who changed what. */
  function note(form) {
    var slide = slides.filter(function (one) { return one.contains(form); })[0];
    var button = form.querySelector("button");
    var body = { ticket_id: slide.getAttribute("data-ticket"), decision: form.elements.decision.value, row_version: slide.getAttribute("data-version") };
    ["status", "due", "lead_unit"].forEach(function (name) {
      if (form.elements[name].value !== form.elements[name].getAttribute("data-was")) body[name] = form.elements[name].value;
    });
    button.disabled = true;
    Mapapp.api.post("/meetings/" + encodeURIComponent(Mapapp.config.meeting) + "/decisions", body).then(function (done) {
      button.disabled = false;
      slide.setAttribute("data-version", done.row_version);
      remember(form);
      var pill = slide.querySelector(".pill"), chosen = form.elements.status;
      pill.className = "pill " + chosen.value;
      pill.textContent = chosen.options[chosen.selectedIndex].text;
      said(form, t("meeting.noted"), "good");
    }, function (error) {
      button.disabled = false;
      said(form, error.message, "error");
    });
  }

  function remember(form) {
    ["status", "due", "lead_unit", "decision"].forEach(function (name) { form.elements[name].setAttribute("data-was", form.elements[name].value); });
  }

  function changed(form) {
    return ["status", "due", "lead_unit", "decision"].some(function (name) { return form.elements[name].value !== form.elements[name].getAttribute("data-was"); });
  }

  function start() {
    Mapapp.config = Mapapp.dom.block("config") || {};
    slides = Array.prototype.slice.call(document.querySelectorAll(".slide"));
    var forms = Array.prototype.slice.call(document.querySelectorAll("[data-decision]"));
    document.body.classList.add("scripted");
    document.getElementById("meeting-foot").hidden = !slides.length;
    forms.forEach(function (form) {
      remember(form);
      form.addEventListener("submit", function (event) { event.preventDefault(); note(form); });
      form.addEventListener("input", function () { if (changed(form)) said(form, t("meeting.unsaved"), ""); });
    });
    document.addEventListener("keydown", keys);
    document.getElementById("meeting-previous").addEventListener("click", function () { show(at - 1); });
    document.getElementById("meeting-next").addEventListener("click", function () { show(at + 1); });
    document.getElementById("meeting-full").addEventListener("click", full);
    document.getElementById("meeting-unit").addEventListener("change", function (event) { event.target.form.submit(); });
    window.addEventListener("beforeunload", function (event) {
      if (forms.some(changed)) { event.preventDefault(); event.returnValue = ""; }
    });
    var wanted = decodeURIComponent(window.location.hash.slice(1));
    var place = slides.map(function (slide) { return slide.getAttribute("data-ticket"); }).indexOf(wanted);
    show(Math.max(place, 0), true);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
