// A run's page renews its state until the run is over; everything else works without a script.
const FIRST = 700, LONGEST = 10_000, LONGEST_AFTER_FAILURES = 60_000; // milliseconds
const run = document.getElementById("run");
let wait = FIRST;

async function renew() {
  if (!run || run.querySelector("[data-over]")) return;
  let well = false;
  try {
    const answer = await fetch(run.dataset.state, { credentials: "same-origin" });
    well = answer.ok;
    if (well) run.innerHTML = await answer.text();
  } catch {
    // The next try may find the network again.
  }
  // Short runs are seen at once; a run of hours, or a console that fails, is not asked all the time.
  wait = well ? Math.min(wait * 1.1, LONGEST) : Math.min(wait * 2, LONGEST_AFTER_FAILURES);
  setTimeout(renew, wait);
}

renew();
