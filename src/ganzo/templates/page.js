"use strict";
document.documentElement.classList.add("scripted");

/** Show an epoch in every chart whose axis holds it. */
function mark(epoch) {
  for (const chart of document.querySelectorAll("svg.chart")) {
    const { first, last, left, right } = chart.dataset;
    const part = (epoch - first) / Math.max(last - first, 1);
    const x = part < 0 || part > 1 ? -9 : +left + part * (right - left);
    const cursor = chart.querySelector(".cursor");
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
  }
}

const viewer = document.querySelector(".viewer");
if (viewer) {
  const thumbs = [...document.querySelectorAll(".strip button")];
  const [large, at, slider, play] = ["img", ".at", "input", ".play"].map((name) => viewer.querySelector(name));
  let timer = null;

  const show = (index) => {
    const picture = thumbs[index].querySelector("img");
    large.src = picture.src;
    large.alt = picture.alt;
    at.textContent = thumbs[index].dataset.title;
    slider.value = index;
    slider.setAttribute("aria-valuetext", thumbs[index].dataset.title);
    thumbs.forEach((thumb, i) => thumb.setAttribute("aria-current", i === index));
    mark(thumbs[index].dataset.epoch);
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  slider.addEventListener("input", () => { stop(); show(+slider.value); });
  thumbs.forEach((thumb, index) => thumb.addEventListener("click", () => { stop(); show(index); }));
  play.addEventListener("click", () => {
    if (timer) return stop();
    play.textContent = "Pause";
    if (+slider.value === thumbs.length - 1) show(0);
    timer = setInterval(() => {
      if (+slider.value === thumbs.length - 1) stop();
      else show(+slider.value + 1);
    }, 600);
  });
  large.hidden = viewer.querySelector(".controls").hidden = false;
  show(thumbs.length - 1);
}
