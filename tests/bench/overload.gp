# gnuplot -c overload.gp DATA CAPACITY BOUND_MS: goodput, p99 of the accepted and p99 of the refusals against offered load, as SVG on standard
# output. DATA: a block for each server, which is its name in quotes and then lines: offered (times capacity), goodput a second, the p99s in
# ms, - where there is none. The colours are those of Okabe and Ito.
data = ARG1
capacity = real(ARG2)
bound = real(ARG3)
array colour[4] = ['#0072B2', '#CC79A7', '#D55E00', '#E69F00']
array shape[4] = [7, 5, 9, 11]
set terminal svg size 900,1000 font 'sans-serif,14' noenhanced background '#ffffff'
set datafile missing '-'
set logscale x
set xrange [0.45:11]
set xtics (0.5, 0.8, 1, 1.2, 1.5, 2, 3, 5, 10) nomirror
set ytics nomirror
set grid ytics xtics lc '#e0e0e0'
set border 3 lc '#606060'
set lmargin 11
set rmargin 3
set samples 1000
set key outside top center horizontal samplen 2 font ',12'
set multiplot layout 3,1
set ylabel 'done in time, a second'
set yrange [0:capacity * 1.1]
set title 'Goodput'
plot (x < 1 ? x * capacity : capacity) title 'bound' lc '#000000' dt 2 lw 1.5, \
	for [i = 0:3] data index i using 1:2 with linespoints title columnheader(1) lc rgb colour[i + 1] pt shape[i + 1] ps 0.7 lw 2
unset key
set ylabel 'ms (logarithmic)'
set logscale y
set yrange [10:1000]
set title 'p99 of the accepted, from when they were due; dashed: p99 of the service + max_wait + S50'
plot bound notitle lc '#000000' dt 2 lw 1.5, \
	for [i = 0:3] data index i using 1:3 with linespoints title columnheader(1) lc rgb colour[i + 1] pt shape[i + 1] ps 0.7 lw 2
set yrange [0.05:1000]
set xlabel 'offered load, times capacity (logarithmic)'
set title 'p99 of the refusals; dashed: the bar at 10 times capacity'
plot 2 notitle lc '#000000' dt 2 lw 1.5, \
	for [i = 0:3] data index i using 1:4 with linespoints title columnheader(1) lc rgb colour[i + 1] pt shape[i + 1] ps 0.7 lw 2
