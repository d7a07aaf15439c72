import { BarChart, LineChart } from 'echarts/charts'
import type { BarSeriesOption, LineSeriesOption } from 'echarts/charts'
import { GridComponent, LegendPlainComponent, TooltipComponent } from 'echarts/components'
import type { GridComponentOption, LegendComponentOption, TooltipComponentOption } from 'echarts/components'
import { init, use } from 'echarts/core'
import type { ComposeOption, ECharts } from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { CanvasRenderer } from 'echarts/renderers'
import { formatTick } from '../lib/format.ts'

export type ChartOptions = ComposeOption<
  BarSeriesOption | LineSeriesOption | GridComponentOption | LegendComponentOption | TooltipComponentOption
>

use([BarChart, LineChart, GridComponent, LegendPlainComponent, TooltipComponent, LabelLayout, CanvasRenderer])

/** A chart in the colours of the page as they are now. */
export function drawChart(element: HTMLElement, options: ChartOptions): ECharts {
  const styles = getComputedStyle(document.documentElement)
  const colour = (name: string): string => styles.getPropertyValue(name).trim()
  const axis = {
    axisLine: { lineStyle: { color: colour('--border-strong') } },
    axisTick: { lineStyle: { color: colour('--border-strong') } },
    axisLabel: { color: colour('--text-quiet') },
    nameTextStyle: { color: colour('--text-quiet') },
    splitLine: { lineStyle: { color: colour('--border') } },
  }
  const chart = init(
    element,
    {
      color: [colour('--accent'), '#c77700', '#7a8a00', '#8a5bd0', '#c4507f', '#2a9d8f'],
      textStyle: { fontFamily: colour('--font'), fontSize: 12, color: colour('--text') },
      categoryAxis: { ...axis, splitLine: { show: false } },
      valueAxis: { ...axis, axisLine: { show: false }, axisLabel: { ...axis.axisLabel, formatter: formatTick } },
      line: { lineStyle: { width: 1.5 }, symbol: 'circle', endLabel: { color: colour('--text') } },
      legend: { textStyle: { color: colour('--text') } },
      tooltip: {
        backgroundColor: colour('--surface-2'),
        borderColor: colour('--border-strong'),
        textStyle: { color: colour('--text'), fontSize: 12 },
      },
    },
    { renderer: 'canvas' },
  )
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches
  chart.setOption({ animation: !still, animationDuration: 200, ...options })
  return chart
}
