# gnuplot -c bars.gp DATA TITLE UNIT SCALE: a bar for each line of DATA with the least and the greatest, as SVG on standard output; SCALE is
# linear or log. DATA, between tabs: name, median, least, greatest, and 1 for what is ours. The colours are those of Okabe and Ito.
set datafile separator "\t"
set terminal svg size 1000,480 font 'sans-serif,13' noenhanced background '#ffffff'
set style fill solid 1 noborder
set boxwidth 0.6
set errorbars 0.5
set grid ytics lc '#d0d0d0'
set xtics nomirror scale 0 rotate by 20 right
set ytics nomirror
set border 3 lc '#606060'
set lmargin 16
set bmargin 8
unset key
set title ARG2
set ylabel ARG3
if (ARG4 eq 'log') { set logscale y; set format y '%.0f' } else { set yrange [0:*]; set format y '%.0f' }
plot ARG1 using 0:2:3:4:($5 == 1 ? 0x0072B2 : 0x999999):xticlabels(1) with boxerrorbars lc rgb variable
