/* This script turns keys into sentences and numbers into the way planners write them. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var texts = null;
  var lang = document.documentElement.lang === "en" ? "en" : "zh";

  /** t("table.rows", {n: 3}) -> the text in the language of the page; an unknown key shows itself. */
  function t(key, values) {
    if (texts === null) texts = Mapapp.dom.block("texts") || {};
    var text = Object.prototype.hasOwnProperty.call(texts, key) ? texts[key] : key;
    return values
      ? text.replace(/\{(\w+)\}/g, function (whole, name) {
          return name in values ? values[name] : whole;
        })
      : text;
  }

  function missing(value) {
    return value === null || value === undefined || value === "" || (typeof value === "number" && !isFinite(value));
  }

  /** 1234.5 -> "1,234.5"; missing stays "?" because unknown is not zero. */
  function number(value, digits) {
    if (missing(value) || isNaN(Number(value))) return t("unknown_short");
    var places = digits === undefined ? 0 : digits;
    return Number(value).toLocaleString("en-US", { minimumFractionDigits: 0, maximumFractionDigits: places });
  }

  /** {value, unit} of a quantity, in 万㎡ 万元 户 栋 公里 in Chinese, m² CNY km in English. */
  function quantity(kind, value) {
    var none = missing(value);
    var show = function (zh, en) {
      return lang === "en" ? en : zh;
    };
    switch (kind) {
      case "area_m2":
        if (lang === "en") return { value: number(value), unit: "m²" };
        return { value: none ? t("unknown_short") : Number(value / 10000).toFixed(2), unit: "万㎡" };
      case "money_wan":
        if (lang === "en") return { value: none ? t("unknown_short") : number(value / 100, 2), unit: "m CNY" };
        return { value: number(value, 2), unit: "万元" };
      case "money_yuan":
        if (lang === "en") {
          return Math.abs(value) >= 1e6
            ? { value: number(value / 1e6, 2), unit: "m CNY" }
            : { value: number(Math.abs(value) >= 1e4 ? Math.round(value / 100) * 100 : value), unit: "CNY" };
        }
        return Math.abs(value) >= 10000
          ? { value: number(value / 10000, 1), unit: "万元" }
          : { value: number(value), unit: "元" };
      case "length_m":
        return Math.abs(value) >= 1000
          ? { value: number(value / 1000, 2), unit: show("公里", "km") }
          : { value: none ? t("unknown_short") : Number(value).toFixed(1), unit: show("米", "m") };
      case "households":
        return { value: number(value), unit: show("户", "households") };
      case "buildings":
        return { value: number(value), unit: show("栋", "buildings") };
      case "compounds":
        return { value: number(value), unit: show("个小区", "compounds") };
      default:
        return { value: number(value, 2), unit: "" };
    }
  }

  /** The unit of a column as a reader writes it: m2 as m², counted things without their Chinese measure word in English. */
  function unit(name) {
    if (name === "m2") return "m²";
    if (name === "m3/d") return "m³/d";
    if (name === "year") return "";
    if (lang !== "en") return name;
    return { "户": "", "栋": "", "个": "", "人": "", "部": "", "处": "", "层": "", "万元": "10⁴ CNY" }[name] ===
      undefined
      ? name
      : { "万元": "10⁴ CNY" }[name] || "";
  }

  function words(kind, value) {
    var q = quantity(kind, value);
    return q.unit ? q.value + " " + q.unit : q.value;
  }

  /** "2026-11-25" -> "2026年11月25日" or "25 Nov 2026"; "2026-11" -> month; anything else as it is. */
  function date(value) {
    var m = /^(\d{4})-(\d{2})(?:-(\d{2}))?/.exec(String(value || ""));
    if (!m) return missing(value) ? t("unknown_short") : String(value);
    if (lang !== "en") return m[1] + "年" + Number(m[2]) + "月" + (m[3] ? Number(m[3]) + "日" : "");
    var months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    return (m[3] ? Number(m[3]) + " " : "") + months[Number(m[2]) - 1] + " " + m[1];
  }

  /** An instant with hour and zone: "2026年12月9日 18:00 (UTC+8)", in the reader's own zone. */
  function instant(value) {
    var d = new Date(value);
    if (isNaN(d.getTime())) return String(value);
    var two = function (n) {
      return (n < 10 ? "0" : "") + n;
    };
    var off = -d.getTimezoneOffset(),
      hours = Math.floor(Math.abs(off) / 60),
      rest = Math.abs(off) % 60;
    var zone = "UTC" + (off < 0 ? "−" : "+") + hours + (rest ? ":" + two(rest) : "");
    return (
      date(d.getFullYear() + "-" + two(d.getMonth() + 1) + "-" + two(d.getDate())) +
      " " +
      two(d.getHours()) +
      ":" +
      two(d.getMinutes()) +
      " (" +
      zone +
      ")"
    );
  }

  Mapapp.t = t;
  Mapapp.lang = lang;
  Mapapp.format = {
    missing: missing,
    number: number,
    unit: unit,
    quantity: quantity,
    words: words,
    date: date,
    instant: instant
  };
})();
