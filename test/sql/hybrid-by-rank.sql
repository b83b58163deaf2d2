begin read only;
set local role funes_admin;
set local hnsw.ef_search = 200;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 5000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  query.n::text,
  hit.distance,
  hit.score,
  hit.parts,
  hit.basis,
  "memories"."id",
  "memories"."user_id",
  "memories"."content",
  "memories"."content_summary",
  "memories"."embedding_model",
  "memories"."embedding_source",
  "memories"."embedding_error",
  "memories"."source",
  "memories"."session_id",
  "memories"."importance_score",
  "memories"."metadata",
  "memories"."idempotency_key",
  "memories"."created_at",
  "memories"."updated_at",
  case
    when "memories"."embedding_error" is not null then 'FAILED'
    when "memories"."embedding" is null then 'PENDING'
    when (
      "memories"."embedding_source" = 'FUNES'
      and "memories"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end
from
  unnest($1::vector[], $2::text[]) with ordinality as query (vector, text, n)
  cross join lateral (
    with
      sample as materialized (
        select
          "memories"."content_tsv" as tsv,
          "memories"."content_length" as length
        from
          "memories" tablesample system (least(100, 100.0 * 250 * 8192 / greatest(pg_relation_size('memories'), 1))) repeatable (0)
        where
          true
      ),
      words as materialized (
        select
          word.query,
          word.lexeme,
          (
            select
              count(*)
            from
              (
                select
                from
                  "memories"
                where
                  "memories"."content_tsv" @@ word.query
                limit
                  1000
              ) counted
          ) as counted
        from
          (
            select
              lexeme,
              ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as query
            from
              (
                select
                  lexeme
                from
                  unnest(tsvector_to_array(to_tsvector('english', query.text))) lexeme
                order by
                  length(lexeme) desc,
                  lexeme
                limit
                  64
              ) word
          ) word
      ),
      found as materialized (
        select
          query,
          lexeme,
          case
            when counted < 1000 then counted
            else greatest(
              counted,
              (
                select
                  count(*)
                from
                  sample
                where
                  tsv @@ query
              ) * greatest(1, 1.0 * greatest(pg_relation_size('memories'), 1) / (250 * 8192))
            )
          end::float8 as documents
        from
          words
        where
          counted > 0
      ),
      corpus as materialized (
        select
          greatest(
            count(*) * greatest(1, 1.0 * greatest(pg_relation_size('memories'), 1) / (250 * 8192)),
            (
              select
                max(documents)
              from
                found
            ),
            1
          )::float8 as documents,
          greatest(coalesce(avg(length), 1), 1)::float8 as length
        from
          sample
      ),
      terms as materialized (
        select
          found.query,
          ln(1 + (total.documents - rarity.documents + 0.5) / (rarity.documents + 0.5)) as idf,
          sum(found.documents) over rarest <= 1000
          or row_number() over rarest = 1 as chosen
        from
          found
          join found rarity using (lexeme),
          corpus total
        window
          rarest as (
            order by
              found.documents,
              lexeme rows unbounded preceding
          )
      ),
      near as materialized (
        select
          *,
          row_number() over (
            order by
              distance,
              id
          ) as rank
        from
          (
            with
              near as materialized (
                select
                  "memories"."id",
                  "memories"."user_id",
                  "memories"."embedding" <=> query.vector as distance
                from
                  "memories"
                where
                  (
                    case
                      when "memories"."embedding_model" = $3 then 1
                    end
                  ) is not null
                order by
                  distance,
                  "memories"."id"
                limit
                  $4
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select
                      "memories"."id",
                      "memories"."user_id",
                      "memories"."embedding" <=> query.vector as distance
                    from
                      "memories"
                    where
                      (
                        (
                          case
                            when "memories"."embedding_model" = $5 then 1
                          end
                        ) is not null
                        and not (
                          select
                            count(*)
                          from
                            near
                        ) >= $6
                      )
                  ) candidate
                order by
                  distance + 0,
                  id
                limit
                  $7
              ) (
                select
                  *
                from
                  near
                where
                  (
                    select
                      count(*)
                    from
                      near
                  ) >= $8
                order by
                  distance,
                  id
                limit
                  $9
              )
            union all
            select
              *
            from
              completed
          ) near
      ),
      rare as materialized (
        select
          "memories"."id",
          "memories"."user_id",
          "memories"."content_tsv" || ''::tsvector as tsv,
          "memories"."content_length" as length
        from
          "memories"
        where
          "memories"."content_tsv" @@ (
            select
              string_agg(query::text, ' | ')::tsquery
            from
              terms
            where
              chosen
          )
        limit
          1000
        offset
          0
      ),
      common as materialized (
        select
          "memories"."id",
          "memories"."user_id",
          "memories"."content_tsv" || ''::tsvector as tsv,
          "memories"."content_length" as length
        from
          "memories"
        where
          (
            (
              select
                count(*)
              from
                rare
            ) < $10
            and (
              "memories"."content_tsv" @@ (
                select
                  string_agg(query::text, ' | ')::tsquery
                from
                  terms
                where
                  not chosen
              )
              and not "memories"."content_tsv" @@ (
                select
                  string_agg(query::text, ' | ')::tsquery
                from
                  terms
                where
                  chosen
              )
            )
          )
        limit
          1000
        offset
          0
      ),
      scored_words as materialized (
        select
          "id",
          "user_id",
          (
            select
              coalesce(
                sum(
                  idf * tf * (1.2::float8 + 1) / (tf + 1.2::float8 * (1 - 0.75::float8 + 0.75::float8 * matching.length / corpus.length))
                ),
                0
              )
            from
              corpus,
              (
                select
                  idf,
                  width_bucket(
                    ts_rank('{1,1,1,1}', matching.tsv, query)::float8,
                    array[
                      0.6079171,
                      0.7598989,
                      0.8274463,
                      0.8654418,
                      0.8897589,
                      0.9066457,
                      0.9190524,
                      0.9285513,
                      0.9360565,
                      0.9421358,
                      0.9471600,
                      0.9513817,
                      0.9549789,
                      0.9580806,
                      0.9607825,
                      0.9631572,
                      0.9652608,
                      0.9671371,
                      0.9688211,
                      0.9703409,
                      0.9717194,
                      0.9729755,
                      0.9741247,
                      0.9751801,
                      0.9761528,
                      0.9770521,
                      0.9778860,
                      0.9786614,
                      0.9793843,
                      0.9800597,
                      0.9806923,
                      0.9812860
                    ]::float8[]
                  ) as tf
                from
                  terms
                where
                  matching.tsv @@ query
              ) term
          )::float8 as bm25
        from
          (
            select
              *
            from
              rare
            union all
            select
              *
            from
              common
          ) matching
      ),
      worded as materialized (
        select
          *,
          row_number() over (
            order by
              bm25 desc,
              id
          ) as rank
        from
          scored_words
        where
          bm25 > 0
        order by
          bm25 desc,
          id
        limit
          $11
      ),
      candidates as materialized (
        select
          "id",
          "user_id",
          min(round) as round
        from
          (
            select
              "id",
              "user_id",
              0::bigint as round
            from
              near
            union all
            select
              "id",
              "user_id",
              0::bigint as round
            from
              worded
          ) found
        group by
          "id",
          "user_id"
      ),
      pool as materialized (
        select
          "id",
          "user_id",
          true as candidate,
          round
        from
          candidates
      ),
      features as materialized (
        select
          pool.*,
          row.*,
          (
            select
              coalesce(
                sum(
                  idf * tf * (1.2::float8 + 1) / (tf + 1.2::float8 * (1 - 0.75::float8 + 0.75::float8 * row.length / corpus.length))
                ),
                0
              )
            from
              corpus,
              (
                select
                  idf,
                  width_bucket(
                    ts_rank('{1,1,1,1}', row.tsv, query)::float8,
                    array[
                      0.6079171,
                      0.7598989,
                      0.8274463,
                      0.8654418,
                      0.8897589,
                      0.9066457,
                      0.9190524,
                      0.9285513,
                      0.9360565,
                      0.9421358,
                      0.9471600,
                      0.9513817,
                      0.9549789,
                      0.9580806,
                      0.9607825,
                      0.9631572,
                      0.9652608,
                      0.9671371,
                      0.9688211,
                      0.9703409,
                      0.9717194,
                      0.9729755,
                      0.9741247,
                      0.9751801,
                      0.9761528,
                      0.9770521,
                      0.9778860,
                      0.9786614,
                      0.9793843,
                      0.9800597,
                      0.9806923,
                      0.9812860
                    ]::float8[]
                  ) as tf
                from
                  terms
                where
                  row.tsv @@ query
              ) term
          )::float8 as bm25
        from
          pool
          cross join lateral (
            select
              (
                case
                  when "memories"."embedding_model" = $12 then "memories"."embedding"
                end
              ) <=> query.vector as distance,
              "memories"."content_tsv" || ''::tsvector as tsv,
              "memories"."content_length" as length
            from
              "memories"
            where
              (
                "memories"."id" = pool."id"
                and "memories"."user_id" = pool."user_id"
              )
            limit
              1
          ) row
      ),
      moments as materialized (
        select
          avg(
            distance
            order by
              "id",
              "user_id"
          ) as mean,
          stddev_pop(
            distance
            order by
              "id",
              "user_id"
          ) as spread,
          avg(
            bm25
            order by
              "id",
              "user_id"
          ) as word_mean,
          stddev_pop(
            bm25
            order by
              "id",
              "user_id"
          ) as word_spread
        from
          features
        where
          candidate
      ),
      based as materialized (
        select
          features.*,
          (coalesce(1.0 / (60 + near.rank), 0) + $13::float8 * coalesce(1.0 / (60 + worded.rank), 0))::float8 as base
        from
          features
          cross join moments
          left join near using ("id", "user_id")
          left join worded using ("id", "user_id")
      ),
      relevant as materialized (
        select
          based.*,
          null::float8 as lent
        from
          based
      ),
      scored as materialized (
        select
          *,
          (base + coalesce(lent, 0)) as score
        from
          relevant
        where
          true
      )
    select
      "id",
      "user_id",
      coalesce(distance, 2) as distance,
      score,
      jsonb_build_object('keyword', bm25, 'context', lent, 'recency', null, 'importance', null) as parts,
      case
        when row_number() over (
          order by
            score desc,
            id
        ) = 1 then jsonb_build_object(
          'at',
          now(),
          'newest',
          jsonb_build_array(
            coalesce(
              (
                select
                  max("memories"."id")
                from
                  "memories"
              ),
              0
            )::text
          ),
          'words',
          jsonb_build_array(
            (
              select
                jsonb_build_object(
                  'documents',
                  documents,
                  'length',
                  length,
                  'counts',
                  (
                    select
                      coalesce(
                        jsonb_agg(
                          coalesce(found.documents, 0)
                          order by
                            length(lexeme) desc,
                            lexeme
                        ),
                        '[]'
                      )
                    from
                      words
                      left join found using (lexeme)
                  )
                )
              from
                corpus
            )
          ),
          'moments',
          (
            select
              jsonb_build_array(mean, spread, word_mean, word_spread)
            from
              moments
          ),
          'farthest',
          null,
          'relevance',
          '[null, null]'::jsonb
        )
      end as basis
    from
      scored best
    order by
      score desc,
      id
    limit
      $14
  ) as hit
  inner join "memories" on (
    "memories"."id" = hit."id"
    and "memories"."user_id" = hit."user_id"
  )
where
  1 / (
    select
      (coalesce(embedding_model, $15) = $16)::int
    from
      installation
  ) = 1
order by
  query.n asc,
  hit.score desc,
  "memories"."id" asc;
