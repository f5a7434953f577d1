# gnuplot -c plot.gp DATA TITLE TICKS: grouped bars of the medians with the least and the greatest, wall clock above CPU time, as SVG on
# standard output. DATA: first a line of names; then a line for each scenario: its name, and for each program median, least
# and greatest of both figures, ? where there is none. The colours are those of Okabe and Ito.
data = ARG1
array colour[6] = ['#0072B2', '#E69F00', '#D55E00', '#009E73', '#CC79A7', '#999999']
set terminal svg size 1180,860 font 'sans-serif,13' noenhanced background '#ffffff'
set datafile missing '?'
set style data histograms
set style histogram errorbars gap 1.5 linewidth 1
set style fill solid 1 noborder
set boxwidth 0.9 relative
set errorbars 0.5 front lc '#000000' lw 1
set logscale y
set grid ytics lc '#d0d0d0'
set xtics nomirror scale 0 rotate by 20 right offset 2,-0.2
set ytics nomirror format '%.0f'
set border 3 lc '#606060'
set lmargin 10
set rmargin 3
set bmargin 5
set multiplot layout 2,1
do for [figure = 0:1] {
	if (figure) { unset key } else { set key outside top center horizontal samplen 1.5 }
	set ylabel figure ? 'CPU ns per operation' : 'ns per operation'
	set title ARG2.(figure ? ': CPU time' : ': wall clock').' (logarithmic; less is better)'
	plot [][1:100000] for [i = 0:5] data using (column(2 + 6 * i + 3 * figure)):(column(3 + 6 * i + 3 * figure)):(column(4 + 6 * i + 3 * figure)):xticlabels(1) \
		title columnheader(2 + 6 * i) lc rgb colour[i + 1]
}
