/* Draws the charts of the board from the tables beside them; the table is the truth. */
(() => {
  "use strict";
  const css = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();
  const charts = new Map();
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  function read(table) {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const series = heads.flatMap((head, column) => (head.hasAttribute("data-series")
      ? [{ name: head.textContent, colour: css(head, "--c"), data: rows.map((row) => Number(row.cells[column].textContent)) }]
      : []));
    const lateColumn = heads.findIndex((head) => head.hasAttribute("data-late"));
    return {
      names: rows.map((row) => row.cells[0].firstElementChild?.textContent || row.cells[0].textContent),
      links: rows.map((row) => row.dataset.href),
      late: lateColumn < 0 ? [] : rows.map((row) => Number(row.cells[lateColumn].textContent)),
      lateName: lateColumn < 0 ? "" : heads[lateColumn].textContent,
      series,
    };
  }

  function option(kind, told, narrow) {
    const style = { fontFamily: css(document.body, "font-family"), fontSize: 13, color: css(document.body, "--ink-2") };
    const quiet = { axisLine: { show: false }, axisTick: { show: false }, axisLabel: { ...style } };
    const names = { type: "category", data: told.names, ...quiet };
    if (narrow && kind === "stack") names.axisLabel = { ...style, fontSize: 12, width: 84, overflow: "break" };
    const numbers = { type: "value", minInterval: 1, splitNumber: narrow ? 3 : 5, ...quiet, splitLine: { lineStyle: { color: css(document.body, "--line") } } };
    const stack = kind === "stack";
    if (kind === "lines") {
      return {
        animation: !still.matches,
        animationDuration: 300,
        textStyle: style,
        grid: { left: 4, right: 8, top: 44, bottom: 4, outerBoundsMode: "same", containLabel: true },
        tooltip: { trigger: "axis", renderMode: "richText", textStyle: style },
        legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 3, icon: "rect", textStyle: style, type: "scroll" },
        xAxis: names,
        yAxis: numbers,
        series: told.series.map((one) => ({
          name: one.name, type: "line", data: one.data, symbolSize: 4, lineStyle: { width: 2 }, itemStyle: { color: one.colour },
        })),
      };
    }
    const bars = told.series.map((one) => ({
      name: one.name, type: "bar", data: one.data, stack: stack ? "all" : undefined, barMaxWidth: stack ? 20 : 28,
      itemStyle: { color: one.colour, borderRadius: stack ? 0 : [4, 4, 0, 0] },
    }));
    if (stack && told.late.some(Boolean)) {
      // The overdue ones are marked behind the end of the bar, not stacked: they are counted once.
      const totals = told.names.map((_, i) => told.series.reduce((sum, one) => sum + one.data[i], 0));
      bars.push({
        name: told.lateName, type: "scatter", symbol: "circle", symbolSize: (v) => (v[2] ? 22 : 0), symbolOffset: [18, 0],
        data: totals.map((total, i) => [total, i, told.late[i]]), itemStyle: { color: css(document.body, "--over") },
        label: { show: true, formatter: (p) => p.value[2] || "", color: "#fff", fontSize: 12, fontWeight: 600 },
        tooltip: { valueFormatter: String, formatter: (p) => `${told.lateName} ${p.value[2]}` },
      });
    }
    return {
      animation: !still.matches,
      animationDuration: 300,
      textStyle: style,
      grid: { left: 4, right: stack ? 44 : 8, top: stack ? 44 : 12, bottom: 4, outerBoundsMode: "same", containLabel: true },
      // A tooltip of HTML would need inline styles, which our content policy forbids.
      tooltip: { trigger: stack ? "item" : "axis", renderMode: "richText", textStyle: style },
      legend: stack ? { top: 0, left: 0, itemWidth: 10, itemHeight: 10, icon: "roundRect", textStyle: style, type: "scroll" } : undefined,
      xAxis: stack ? numbers : names,
      yAxis: stack ? { ...names, inverse: true } : numbers,
      series: bars,
    };
  }

  function draw() {
    for (const [figure, chart] of charts) {
      if (!figure.isConnected) { chart.dispose(); charts.delete(figure); }
    }
    for (const figure of document.querySelectorAll("[data-chart]")) {
      const table = document.getElementById(figure.dataset.table);
      if (!table) continue;
      const told = read(table);
      if (figure.dataset.chart === "stack") figure.style.height = `${Math.max(180, told.names.length * (figure.clientWidth < 480 ? 44 : 36) + 80)}px`;
      let chart = charts.get(figure);
      if (!chart) {
        chart = window.echarts.init(figure, null, { renderer: "canvas" });
        charts.set(figure, chart);
        chart.on("click", (e) => { const link = charts.told?.get(figure)?.links[e.dataIndex]; if (link) location.assign(link); });
        const fold = table.closest("details");
        if (fold) fold.open = false;
      } else chart.resize();
      charts.told = (charts.told || new Map()).set(figure, told);
      chart.setOption(option(figure.dataset.chart, told, figure.clientWidth < 480), { replaceMerge: ["series"] });
    }
  }

  if (!window.echarts) return;
  draw();
  document.addEventListener("express:live", draw);
  addEventListener("resize", () => { for (const chart of charts.values()) chart.resize(); });
})();
